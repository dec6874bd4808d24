import Origin
import ServiceLifecycle
import Store

/// Reads again which weddings are locked while another process of this node has the same records: calls
/// that it still answers, or answers already, lock weddings for both.
///
/// In a cluster all nodes are told of it, and so are all processes of one.
struct SharedLocks: Service {
  private static let interval = Duration.seconds(1)

  let locks: WeddingLocks
  /// Whether there is another process.
  let isShared: @Sendable () -> Bool

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        // What can't be read now stays as it was known, and is read with the next round.
        if isShared() { _ = try? await locks.refresh() }
        try? await Task.sleep(for: Self.interval)
      }
    }
  }
}
