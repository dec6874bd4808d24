import Origin
import ServiceLifecycle
import Store

/// Reads again which weddings are locked and which cameras they have while another process of this
/// node has the same records: calls that it still answers, or answers already, hold for both.
///
/// In a cluster all nodes are told of it, and so are all processes of one.
struct SharedRecords: Service {
  let locks: WeddingLocks
  let cameras: OriginCameras
  /// How often.
  let interval: Duration
  /// Whether there is another process.
  let isShared: @Sendable () -> Bool

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        // What can't be read now stays as it was known, and is read with the next round.
        if isShared() {
          _ = try? await locks.refresh()
          _ = try? await cameras.refresh(isDecided: true)
        }
        try? await Task.sleep(for: interval)
      }
    }
  }
}
