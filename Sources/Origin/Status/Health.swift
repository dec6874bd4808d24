package import HTTPServer
import Synchronization

/// Whether the node takes new work, and if not, why: what load balancers ask.
package final class Health: Sendable {
  private let reason = Mutex<String?>("the node is starting")

  package init() {}

  /// Takes new work from now on, or (with a reason) no more.
  package func set(unready reason: String?) { self.reason.withLock { $0 = reason } }

  package var isReady: Bool { reason.withLock { $0 == nil } }

  /// The answer to `/readyz`: 200, or 503 with the reason.
  package var readiness: PreparedResponse {
    guard let reason = reason.withLock({ $0 }) else { return Self.ready }
    return .error(503, code: "not_ready", message: "This node takes no new work: \(reason).")
  }

  private static let ready = PreparedResponse(
    fields: [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")],
    body: Array("ready\n".utf8))
}
