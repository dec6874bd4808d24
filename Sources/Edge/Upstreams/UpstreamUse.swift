package import EventLoop

/// A request that a server has been chosen for; it counts there until this is gone.
package final class UpstreamUse: Sendable {
  package let upstream: Upstream
  private let pool: UpstreamPool

  init(_ upstream: Upstream, of pool: UpstreamPool) {
    self.upstream = upstream
    self.pool = pool
  }

  deinit { pool.leave(upstream) }

  /// The server has answered.
  package func succeeded() { pool.note(upstream, failed: false, at: .now) }

  /// It has not, or not as a server should.
  package func failed(at now: MonotonicTime = .now) {
    pool.note(upstream, failed: true, at: now)
  }
}
