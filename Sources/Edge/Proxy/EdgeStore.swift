import Cache
import HTTPTypes

/// What an edge keeps, by what it is asked for; shared by all loops.
final class EdgeStore: Sendable {
  /// What is known under one key.
  enum Entry: Sendable {
    case object(EdgeObject)
    /// There are several, by these fields of the request.
    case chosen(VaryRule)
    /// Responses are for one client each; everybody asks alone until then.
    case alone(until: Int64)
  }

  private let memory: MemoryTier<Entry>
  private let disk: EdgeDisk?
  private let hash: SipHash

  init(_ configuration: EdgeConfiguration) {
    memory = MemoryTier(bytes: configuration.memoryBytes, count: configuration.memoryCount)
    disk = configuration.diskFolder.map {
      EdgeDisk($0, limits: configuration.disk)
    }
    hash = disk?.hash ?? .random()
  }

  /// What is on disk and has been done there; nil without one.
  var diskUsage: DiskTier.Usage? { disk?.tier.usage }

  var usage: MemoryUsage { memory.usage }

  /// The key of an address: `host/path?query`.
  func key(bytes name: [UInt8]) -> CacheKey { hash.hash(name.span) }

  func key(_ name: String) -> CacheKey { key(bytes: Array(name.utf8)) }

  func entry(_ key: CacheKey) -> Entry? { memory.value(key) }

  /// The key of what a rule chooses for a request.
  func key(_ name: String, _ rule: VaryRule, _ fields: HTTPFields) -> CacheKey {
    key(name + "\n" + rule.key(of: fields))
  }

  /// Finds what a request may be answered with.
  ///
  /// - Parameters:
  ///   - name: `host/path?query`.
  ///   - fields: of the request.
  /// - Returns: what there is, and the key under which it is, or would be.
  func find(_ name: String, _ fields: HTTPFields) -> (entry: Entry?, key: CacheKey) {
    let primary = key(name)
    let entry = memory.value(primary)
    guard case .chosen(let rule) = entry else { return (entry, primary) }
    let secondary = key(name, rule, fields)
    return (memory.value(secondary), secondary)
  }

  /// Whether an object is kept, in memory or on disk, as far as is known without reading it.
  ///
  /// - Parameter name: `host/path?query`, of something that is the same for all requests.
  /// - Returns: false also for what only says how to choose.
  func has(_ name: String) -> Bool {
    let key = key(name)
    if case .object = memory.peek(key) { return true }
    return disk?.tier.contains(key) ?? false
  }

  /// Keeps an object.
  ///
  /// - Parameters:
  ///   - object: the response.
  ///   - name: what it was asked by.
  ///   - fields: of the request.
  func keep(_ object: EdgeObject, name: String, fields: HTTPFields) {
    guard let rule = VaryRule(object.response.headerFields) else { return }
    let tags = [name] + EdgeStore.tags(object.response.headerFields)
    guard !rule.isEmpty else {
      put(object, key(name), tags)
      disk?.store(object, key(name), name, tags)
      return
    }
    let secondary = key(name, rule, fields)
    memory.insert(key(name), .chosen(rule), bytes: 512, tags: [name])
    put(object, secondary, tags)
    disk?.store(rule, key(name), name)
    disk?.store(object, secondary, name, tags)
  }

  private func put(_ object: EdgeObject, _ key: CacheKey, _ tags: [String]) {
    memory.insert(key, .object(object), bytes: object.bytes, tags: tags)
  }

  /// Reads from disk what isn't in memory, and has it there from then on.
  ///
  /// - Parameters:
  ///   - name: `host/path?query`.
  ///   - fields: of the request.
  ///   - done: called once, from a thread of the disk; nil where there is nothing for the request.
  /// - Returns: false where that is known already; `done` isn't called then.
  func readDisk(
    _ name: String, _ fields: HTTPFields, done: @escaping @Sendable (EdgeObject?) -> Void
  ) -> Bool {
    guard let disk else { return false }
    let primary = key(name)
    return disk.read(primary, name) { [self] found in
      switch found {
      case .object(let object, let tags):
        put(object, primary, tags)
        done(object)
      case .chosen(let rule):
        memory.insert(primary, .chosen(rule), bytes: 512, tags: [name])
        let secondary = key(name, rule, fields)
        let isAsked = disk.read(secondary, name) { [self] found in
          guard case .object(let object, let tags) = found else { return done(nil) }
          put(object, secondary, tags)
          done(object)
        }
        if !isAsked { done(nil) }
      case nil: done(nil)
      }
    }
  }

  /// Remembers that everybody has to ask alone.
  func setAlone(_ key: CacheKey, name: String, until: Int64) {
    memory.insert(key, .alone(until: until), bytes: 512, tags: [name])
  }

  func drop(_ key: CacheKey) {
    memory.remove(key)
    disk?.tier.remove(key)
  }

  /// Takes out all that is kept for an address.
  @discardableResult func purge(_ name: String) -> Int {
    disk?.tier.removeAll(tagged: name)
    return memory.removeAll(tagged: name)
  }

  /// The tags that a response has: `Surrogate-Key` and `Cache-Tag`.
  private static func tags(_ fields: HTTPFields) -> [String] {
    fields[values: .surrogateKey].flatMap { $0.split(separator: " ").map(String.init) }
      + fields[values: .cacheTag].flatMap {
        $0.split(separator: ",").map { String($0).filter { $0 != " " } }
      }
  }
}
