/// Objects by key, bounded by bytes and by count, and which of them go when it is full.
///
/// What comes new goes through a window; what leaves that stays only where it was asked for as
/// often as what would have to go for it. So a reader who goes through an archive once moves
/// through the window alone, and what many watch stays. Source: TinyLFU's window (W-TinyLFU).
///
/// All operations are O(1), but for insertions, which are O(objects that go).
struct ObjectTable<Value: Sendable> {
  private enum Place { case window, main }

  private struct Slot {
    var key: CacheKey
    var value: Value
    var bytes: Int
    var tags: [UInt64]
    var place: Place
  }

  /// Of the bytes, how many the window has, in percent.
  private static var windowPercent: Int { 20 }

  let capacityBytes: Int
  let capacityCount: Int
  private var slots: [Slot?] = []
  private var links: [RecencyList.Link] = []
  private var free: [Int32] = []
  private var index: [CacheKey: Int32] = [:]
  private var window = RecencyList()
  private var main = RecencyList()
  private var sketch: FrequencySketch
  private var tagged = TagIndex()
  /// Objects that had to go for others.
  private(set) var evictions = 0

  /// - Parameters:
  ///   - bytes: that it holds at most.
  ///   - count: of objects that it holds at most.
  init(bytes: Int, count: Int) {
    capacityBytes = bytes
    capacityCount = count
    sketch = FrequencySketch(keys: count)
  }

  var bytes: Int { window.bytes + main.bytes }
  var count: Int { index.count }

  /// Finds an object, and notes that it was asked for, found or not.
  mutating func value(_ key: CacheKey) -> Value? {
    sketch.note(key, held: count)
    guard let slot = index[key], let found = slots[Int(slot)] else { return nil }
    switch found.place {
    case .window: window.touch(slot, &links)
    case .main: main.touch(slot, &links)
    }
    return found.value
  }

  /// Finds an object without noting anything.
  func peek(_ key: CacheKey) -> Value? {
    index[key].flatMap { slots[Int($0)]?.value }
  }

  /// Stores an object, in the place of one of the same key.
  ///
  /// - Parameters:
  ///   - key: its name.
  ///   - value: the object.
  ///   - bytes: what it takes.
  ///   - tags: under which it may be taken out, each once.
  ///   - dropped: is given what had to go; the object itself where it is larger than the shard.
  mutating func insert(
    _ key: CacheKey, _ value: Value, bytes: Int, tags: [UInt64] = [],
    dropped: (CacheKey, Value) -> Void
  ) {
    if let slot = index[key] { take(slot) }
    guard bytes <= capacityBytes, capacityCount > 0 else { return dropped(key, value) }
    let entry = Slot(key: key, value: value, bytes: bytes, tags: tags, place: .window)
    let slot: Int32
    if let reused = free.popLast() {
      slot = reused
      slots[Int(slot)] = entry
    } else {
      slot = Int32(slots.count)
      slots.append(entry)
      links.append(RecencyList.Link())
    }
    index[key] = slot
    tagged.insert(key, tags)
    window.insert(slot, bytes: bytes, &links)
    settle(dropped)
  }

  /// Takes an object out.
  @discardableResult mutating func remove(_ key: CacheKey) -> Value? {
    guard let slot = index[key] else { return nil }
    return take(slot)?.value
  }

  /// Changes what has a tag, or takes it out; O(those).
  ///
  /// - Parameters:
  ///   - tag: of the objects.
  ///   - change: says what becomes of each.
  ///   - gone: is given what was taken out.
  /// - Returns: the keys of those that were changed or taken out.
  mutating func change(
    tagged tag: UInt64, _ change: (CacheKey, Value) -> ObjectChange<Value>,
    gone: (Value) -> Void = { _ in }
  ) -> [CacheKey] {
    tagged.keys(tag).filter { key in
      index[key].map { self.change(slot: $0, change, gone) } ?? false
    }
  }

  /// How many slots there are to look through, some of them free.
  var slotCount: Int { slots.count }

  /// Looks through a stretch of slots; O(stretch).
  ///
  /// - Parameters:
  ///   - stretch: of slots; those beyond the last are none.
  ///   - change: says what becomes of each object.
  ///   - gone: is given what was taken out.
  /// - Returns: the keys of those that were changed or taken out.
  mutating func change(
    in stretch: Range<Int>, _ change: (CacheKey, Value) -> ObjectChange<Value>,
    gone: (Value) -> Void = { _ in }
  ) -> [CacheKey] {
    var changed: [CacheKey] = []
    for slot in stretch.clamped(to: 0..<slots.count) {
      guard let key = slots[slot]?.key else { continue }
      if self.change(slot: Int32(slot), change, gone) { changed.append(key) }
    }
    return changed
  }

  private mutating func change(
    slot: Int32, _ change: (CacheKey, Value) -> ObjectChange<Value>, _ gone: (Value) -> Void
  ) -> Bool {
    guard let entry = slots[Int(slot)] else { return false }
    switch change(entry.key, entry.value) {
    case .none: return false
    case .replace(let value): slots[Int(slot)]?.value = value
    case .remove:
      take(slot)
      gone(entry.value)
    }
    return true
  }

  /// All objects, the one that was used longest ago first; O(count).
  var all: [(key: CacheKey, value: Value)] {
    var found: [(key: CacheKey, value: Value)] = []
    for list in [main, window] {
      var slot = list.oldest
      while slot >= 0 {
        if let entry = slots[Int(slot)] { found.append((entry.key, entry.value)) }
        slot = links[Int(slot)].newer
      }
    }
    return found
  }

  @discardableResult private mutating func take(_ slot: Int32) -> Slot? {
    guard let entry = slots[Int(slot)] else { return nil }
    switch entry.place {
    case .window: window.remove(slot, bytes: entry.bytes, &links)
    case .main: main.remove(slot, bytes: entry.bytes, &links)
    }
    index[entry.key] = nil
    tagged.remove(entry.key, entry.tags)
    slots[Int(slot)] = nil
    free.append(slot)
    return entry
  }

  /// Moves what the window has no room for, and lets go of what there is no room for at all.
  private mutating func settle(_ dropped: (CacheKey, Value) -> Void) {
    let windowBytes = capacityBytes * Self.windowPercent / 100
    let windowCount = max(1, capacityCount * Self.windowPercent / 100)
    while window.count > 1, window.bytes > windowBytes || window.count > windowCount {
      let slot = window.oldest
      guard var entry = slots[Int(slot)] else { break }
      window.remove(slot, bytes: entry.bytes, &links)
      entry.place = .main
      slots[Int(slot)] = entry
      main.insert(slot, bytes: entry.bytes, &links)
      admit(slot, entry, dropped)
    }
    while isOver, !main.isEmpty { evict(main.oldest, dropped) }
    while isOver, window.count > 1 { evict(window.oldest, dropped) }
  }

  private var isOver: Bool { bytes > capacityBytes || count > capacityCount }

  /// Makes room for an object that came from the window, or lets go of itself.
  private mutating func admit(
    _ slot: Int32, _ entry: Slot, _ dropped: (CacheKey, Value) -> Void
  ) {
    let wanted = sketch.frequency(of: entry.key)
    while isOver {
      let victim = main.oldest
      guard victim != slot, let other = slots[Int(victim)] else { return evict(slot, dropped) }
      // Of two that are asked for alike the newer one stays: it is more likely to be live.
      if sketch.frequency(of: other.key) > wanted { return evict(slot, dropped) }
      evict(victim, dropped)
    }
  }

  private mutating func evict(_ slot: Int32, _ dropped: (CacheKey, Value) -> Void) {
    guard let entry = take(slot) else { return }
    evictions += 1
    dropped(entry.key, entry.value)
  }
}
