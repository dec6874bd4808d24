import Cache
import HTTPTypes
import Logging
import Synchronization

/// What an edge keeps, by what it is asked for; shared by all loops.
final class EdgeStore: Sendable {
  /// What is known under one key.
  enum Entry: Sendable {
    case object(EdgeObject)
    /// What is known of an object that is kept in slices.
    case sliced(SlicedObject)
    /// One of its slices.
    case slice([UInt8], name: String)
    /// There are several, by these fields of the request.
    case chosen(VaryRule, name: String)
    /// Responses are for one client each; everybody asks alone until then.
    case alone(until: Int64, name: String)
  }

  let memory: MemoryTier<Entry>
  let disk: EdgeDisk?
  let log = PurgeLog()
  /// Seconds for which what is purged softly may be served while it is asked for anew.
  let grace: Int64
  /// Whether no purge can have been missed: else what comes from disk is doubted.
  let isSure: Atomic<Bool>
  private let hash: SipHash
  private let clock: EdgeClock

  /// Seconds by which another process's clock may have been ahead.
  private static let clockSlack: Int64 = 2

  init(_ configuration: EdgeConfiguration, logger: Logger) {
    clock = configuration.clock
    grace = configuration.purgeGrace
    isSure = Atomic(!configuration.hearsOfPurges)
    memory = MemoryTier(bytes: configuration.memoryBytes, count: configuration.memoryCount)
    disk = configuration.diskFolder.map {
      EdgeDisk(
        $0, limits: configuration.disk, grace: configuration.purgeGrace,
        isOwn: configuration.ownsDisk, logger: logger)
    }
    hash = disk?.hash ?? .random()
  }

  /// What is on disk and has been done there; nil without one.
  var diskUsage: DiskTier.Usage? { disk?.tier.usage }

  /// The disk is this process's from now on.
  func takeDisk() { disk?.tier.open() }

  /// The disk is another process's from now on: nothing is written there any more.
  func releaseDisk() async { await disk?.tier.release() }

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
    guard case .chosen(let rule, _) = entry else { return (entry, primary) }
    let secondary = key(name, rule, fields)
    return (memory.value(secondary), secondary)
  }

  /// Whether an object is kept, in memory or on disk, as far as is known without reading it.
  ///
  /// - Parameter name: `host/path?query`, of something that is the same for all requests.
  /// - Returns: false also for what only says how to choose.
  func has(_ name: String) -> Bool {
    let key = key(name)
    switch memory.peek(key) {
    case .object, .sliced: return true
    case .chosen, .alone, .slice, nil: break
    }
    return disk?.tier.contains(key) ?? false
  }

  /// Keeps an object, unless it was purged since it was asked for.
  ///
  /// - Parameters:
  ///   - object: the response.
  ///   - fields: of the request.
  ///   - since: when it was asked for.
  func keep(_ object: EdgeObject, fields: HTTPFields, since: PurgeLog.Moment) {
    let name = object.name
    guard let rule = VaryRule(object.response.headerFields) else { return }
    let tags = EdgeStore.tags(name, object.response.headerFields)
    guard EdgeStore.areBounded(tags), !log.isPurged(name, tags: { tags }, since: since) else {
      return
    }
    guard !rule.isEmpty else {
      put(object, key(name), tags)
      disk?.store(object, key(name), tags)
      return dropIfPurged(object, [key(name)], tags, since: since)
    }
    let secondary = key(name, rule, fields)
    put(rule, key(name), name)
    put(object, secondary, tags)
    disk?.store(rule, key(name), name)
    disk?.store(object, secondary, tags)
    dropIfPurged(object, [key(name), secondary], tags, since: since)
  }

  /// A purge that came while it was put in place may have found nothing.
  private func dropIfPurged(
    _ object: EdgeObject, _ keys: [CacheKey], _ tags: [String], since: PurgeLog.Moment
  ) {
    guard log.isPurged(object.name, tags: { tags }, since: since) else { return }
    for key in keys { drop(key) }
  }

  private func put(_ object: EdgeObject, _ key: CacheKey, _ tags: [String]) {
    memory.insert(key, .object(object), bytes: object.bytes, tags: tags)
  }

  func put(_ rule: VaryRule, _ key: CacheKey, _ name: String) {
    memory.insert(
      key, .chosen(rule, name: name), bytes: 512, tags: EdgeAddress.tags(of: name))
  }

  /// Reads from disk what isn't in memory, and has it there from then on.
  ///
  /// - Parameters:
  ///   - name: `host/path?query`.
  ///   - fields: of the request.
  ///   - done: called once, from a thread of the disk, with an object or what is known of one in
  ///     slices; nil where there is nothing for the request.
  /// - Returns: false where that is known already; `done` isn't called then.
  func readDisk(
    _ name: String, _ fields: HTTPFields, done: @escaping @Sendable (Entry?) -> Void
  ) -> Bool {
    guard let disk else { return false }
    let primary = key(name)
    let since = log.moment
    return disk.read(primary, name) { [self] found in
      guard case .chosen(let rule) = found else {
        return done(has(found, since: since))
      }
      put(rule, primary, name)
      let isAsked = disk.read(key(name, rule, fields), name) { [self] found in
        done(has(found, since: since))
      }
      if !isAsked { done(nil) }
    }
  }

  /// Has in memory what was on disk.
  ///
  /// - Returns: nil where it is no object, and where it was purged meanwhile.
  private func has(_ found: EdgeDisk.Found?, since: PurgeLog.Moment) -> Entry? {
    var entry: Entry
    let key: CacheKey
    let tags: [String]
    switch found {
    case .object(let object, let its, let stored):
      (entry, key, tags) = (.object(object), its, stored)
    case .sliced(let object, let stored): (entry, key, tags) = (.sliced(object), object.key, stored)
    case .chosen, nil: return nil
    }
    if !isSure.load(ordering: .acquiring), let received = entry.freshness?.receivedAt {
      let mark = StaleMark(since: received, isDoubted: true)
      entry = entry.marked(mark, grace: 0) ?? entry
    }
    if let received = entry.freshness?.receivedAt, received > clock.now + Self.clockSlack {
      // The clock was set back since: how old it is, nobody knows.
      entry = entry.marked(StaleMark(since: received, isDoubted: true), grace: 0) ?? entry
    }
    switch entry {
    case .object(let object): put(object, key, tags)
    case .sliced(let object): put(object, tags)
    case .chosen, .alone, .slice: return nil
    }
    guard !log.isPurged(entry.name, tags: { tags }, since: since) else {
      memory.remove(key)
      return nil
    }
    return entry
  }

  /// Remembers that everybody has to ask alone.
  func setAlone(_ key: CacheKey, name: String, until: Int64) {
    memory.insert(
      key, .alone(until: until, name: name), bytes: 512, tags: EdgeAddress.tags(of: name))
  }

  func drop(_ key: CacheKey) {
    memory.remove(key)
    disk?.tier.remove(key)
  }
}
