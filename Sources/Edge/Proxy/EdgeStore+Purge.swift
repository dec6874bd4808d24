import Cache
import Cluster
import HTTPTypes

extension EdgeStore {
  /// What objects are purged by.
  ///
  /// - Parameters:
  ///   - name: `host/path?query`: itself, and without the host.
  ///   - fields: of the response: `Surrogate-Key` and `Cache-Tag`.
  /// - Returns: the name first; a wedding's name where the address is one of a wedding's.
  static func tags(_ name: String, _ fields: HTTPFields = HTTPFields()) -> [String] {
    EdgeAddress.tags(of: name)
      + fields[values: .surrogateKey].flatMap { $0.split(separator: " ").map(String.init) }
      + fields[values: .cacheTag].flatMap {
        $0.split(separator: ",").map { String($0).filter { $0 != " " } }
      }
  }

  /// Whether tags fit into what stands on disk, and may be looked through with each purge.
  static func areBounded(_ tags: [String]) -> Bool {
    tags.count <= 256 && tags.reduce(0) { $0 + $1.utf8.count } <= 64 << 10
  }

  /// Takes out, or marks as stale, what is meant.
  ///
  /// Memory is done on return; of the disk, too, nothing of it is found any more.
  ///
  /// - Parameters:
  ///   - invalidations: any number; many at once cost little more than one.
  ///   - now: seconds since 1970.
  /// - Returns: how many were in memory.
  @discardableResult func purge(_ invalidations: [Invalidation], at now: Int64) -> Int {
    var count = 0
    for isSoft in [true, false] {
      let targets = invalidations.filter { $0.isSoft == isSoft }.map(\.target)
      guard !targets.isEmpty else { continue }
      let purge = EdgePurge(targets)
      // First, so that nothing comes in behind the back of what follows.
      log.note(purge)
      count += change(purge, isSoft ? StaleMark(since: now) : nil)
    }
    return count
  }

  private func change(_ purge: EdgePurge, _ mark: StaleMark?) -> Int {
    let grace = grace
    let become: (Entry) -> ObjectChange<Entry> = { entry in
      guard let mark else { return .remove }
      return entry.marked(mark, grace: grace).map { .replace($0) } ?? .none
    }
    var count = 0
    let exact = Array(purge.exact)
    if !exact.isEmpty {
      count += memory.change(tagged: exact) { become($1) }
      disk?.tier.purge(.tagged(exact), mark: mark)
    }
    if purge.hasPrefixes {
      count += memory.changeAll { purge.hasPrefix(of: $1.name) ? become($1) : .none }
      disk?.tier.purge(.named { purge.hasPrefix(of: $0) }, mark: mark)
    }
    return count
  }

  /// Takes out all that is kept for an address, on this node.
  func purge(_ name: String, at now: Int64) {
    purge([Invalidation(.key(name))], at: now)
  }

  /// Some purges were missed: whatever is kept is confirmed by its origin before anybody gets it.
  func doubtAll(at now: Int64) {
    log.noteAll()
    let mark = StaleMark(since: now, isDoubted: true)
    _ = memory.changeAll { $1.marked(mark, grace: 0).map { .replace($0) } ?? .none }
    disk?.tier.purge(.all, mark: mark)
  }
}

extension EdgeStore.Entry {
  /// What it was asked by: `host/path?query`.
  var name: String {
    switch self {
    case .object(let object): object.name
    case .sliced(let object): object.name
    case .chosen(_, let name), .alone(_, let name), .slice(_, let name): name
    }
  }

  /// Nil where it has no age: slices are as fresh as what is known of the whole.
  var freshness: Freshness? {
    switch self {
    case .object(let object): object.freshness
    case .sliced(let object): object.freshness
    case .chosen, .alone, .slice: nil
    }
  }

  /// The same, stale; nil where it has no age.
  func marked(_ mark: StaleMark, grace: Int64) -> EdgeStore.Entry? {
    switch self {
    case .object(let object): .object(object.marked(mark, grace: grace))
    case .sliced(let object): .sliced(object.marked(mark, grace: grace))
    case .chosen, .alone, .slice: nil
    }
  }
}
