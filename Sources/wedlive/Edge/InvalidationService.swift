import Edge
import ServiceLifecycle

/// Has the edge's cache forget what its cluster says is to be forgotten.
struct InvalidationService: Service {
  let invalidations: CacheInvalidations

  func run() async throws {
    await cancelWhenGracefulShutdown { await invalidations.run() }
  }
}
