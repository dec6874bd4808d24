import Cache
package import Cluster
import Synchronization

// What is not to be served any more, or not without a question.
extension EdgeProxy {
  /// What purges did, for metrics.
  struct PurgeCounts: Sendable {
    /// Keys, prefixes and tags.
    var hard = 0
    var soft = 0
    /// Objects that were in memory.
    var objects = 0
    /// Times that everything was doubted.
    var doubts = 0
  }

  var purgeCounts: PurgeCounts { purges.withLock { $0 } }

  /// Forgets, or has confirmed before it is served, what is meant; memory is done on return.
  ///
  /// - Parameter invalidations: any number; many at once cost little more than one.
  /// - Returns: how many objects were in memory.
  @discardableResult package func purge(_ invalidations: [Invalidation]) -> Int {
    let count = store.purge(invalidations, at: now)
    purges.withLock { purges in
      for invalidation in invalidations {
        if invalidation.isSoft { purges.soft += 1 } else { purges.hard += 1 }
      }
      purges.objects += count
    }
    return count
  }

  /// Whether what was purged so far is on disk, too, so that a kill or a power cut brings nothing
  /// of it back; waits for that, but not for long.
  package func arePurgesKept() async -> Bool {
    await store.disk?.tier.isKept(within: configuration.purgeWait) ?? true
  }

  /// Has all that is kept confirmed by its origin before it is served: purges may have been missed.
  package func doubtAll() {
    store.doubtAll(at: now)
    purges.withLock { $0.doubts += 1 }
  }
}
