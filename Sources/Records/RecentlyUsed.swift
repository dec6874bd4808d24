/// Values of which those that were not asked for lately are forgotten: in two generations, the
/// older of which goes when the younger one is full.
struct RecentlyUsed<Key: Hashable, Value> {
  private let limit: Int
  private var young: [Key: Value] = [:]
  private var old: [Key: Value] = [:]

  /// - Parameter limit: how many there may be in all.
  init(limit: Int) { self.limit = max(2, limit) }

  subscript(key: Key) -> Value? {
    mutating get {
      if let value = young[key] { return value }
      guard let value = old.removeValue(forKey: key) else { return nil }
      put(value, key)
      return value
    }
    set {
      old[key] = nil
      guard let newValue else { return young[key] = nil }
      put(newValue, key)
    }
  }

  private mutating func put(_ value: Value, _ key: Key) {
    if young[key] == nil, young.count >= limit / 2 {
      old = young
      young = [:]
    }
    young[key] = value
  }
}
