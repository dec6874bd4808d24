import Cache
import Foundation
import HTTPTypes
import Logging
import Synchronization

/// The disk tier as the edge uses it: responses, and the fields that they are chosen by.
final class EdgeDisk: Sendable {
  /// What is found under a key.
  enum Found: Sendable {
    case object(EdgeObject, CacheKey, tags: [String])
    case sliced(SlicedObject, tags: [String])
    case chosen(VaryRule)
  }

  let tier: DiskTier
  /// The secret that names are hashed with: another one would find nothing of what is stored.
  let hash: SipHash
  private let grace: Int64

  /// - Parameters:
  ///   - folder: is made where it isn't there.
  ///   - limits: of what is stored.
  ///   - grace: seconds for which what is purged softly may be served.
  ///   - isOwn: whether no other process has the folder.
  ///   - logger: hears what becomes of the folder.
  init(
    _ folder: String, limits: DiskTier.Limits, grace: Int64, isOwn: Bool = true, logger: Logger
  ) {
    self.grace = grace
    let secret = EdgeDiskSecret(folder)
    hash = secret.hash
    let isTold = Atomic(false)
    tier = DiskTier(folder, limits: limits, isOwn: isOwn) { event in
      switch event {
      case .gone: secret.keep()
      case .made:
        isTold.store(false, ordering: .relaxed)
        logger.warning("the cache's folder was gone, or a part of it, and is made anew: \(folder)")
      case .failed(let problem):
        guard !isTold.exchange(true, ordering: .relaxed) else { return }
        logger.error(
          "the cache's folder is gone and can't be made: \(folder): errno \(problem)")
      }
    }
  }

  func store(_ object: EdgeObject, _ key: CacheKey, _ tags: [String]) {
    guard let head = EdgeDiskHead(object).bytes else { return }
    tier.store(DiskObject(key: key, name: object.name, tags: tags, head: head, body: object.body))
  }

  func store(_ object: SlicedObject, _ tags: [String]) {
    guard let head = EdgeDiskHead(object).bytes else { return }
    tier.store(
      DiskObject(key: object.key, name: object.name, tags: tags, head: head, body: []))
  }

  /// Stores a slice: it has no head, as its key says all of it.
  func store(_ bytes: [UInt8], _ key: CacheKey, _ name: String, _ tags: [String]) {
    tier.store(DiskObject(key: key, name: name, tags: tags, head: [], body: bytes))
  }

  func store(_ rule: VaryRule, _ key: CacheKey, _ name: String) {
    guard let head = EdgeDiskHead(rule).bytes else { return }
    tier.store(
      DiskObject(key: key, name: name, tags: EdgeAddress.tags(of: name), head: head, body: []))
  }

  /// Reads what is under a key.
  ///
  /// - Returns: false where it is known that nothing is; `done` isn't called then.
  func read(
    _ key: CacheKey, _ name: String, done: @escaping @Sendable (Found?) -> Void
  ) -> Bool {
    tier.read(key, name: name) { [grace] object in
      guard let object, let head = EdgeDiskHead(object.head) else { return done(nil) }
      done(head.found(object, grace: grace))
    }
  }
}
