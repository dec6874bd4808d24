import EventLoop
import HTTPServer
import Logging
import Operator
import TLS
import Telemetry

/// What every node has, whatever its role: loops, certificates, metrics, and how it is.
struct NodeFrame: Sendable {
  let loops: LoopGroup
  let https: TLSContextSource
  let rtmps: TLSContextSource
  let registry: MetricRegistry
  let health: Health
  let logger: Logger

  /// Seals session tickets with these keys from now on.
  func use(_ keys: TicketKeys) {
    https.ticketKeys = keys
    rtmps.ticketKeys = keys
  }

  /// Gives every loop the certificate that was read last.
  func useCertificate() {
    let context = https.current
    loops.submitToAll { loop in
      for site in loop.local(LoopSites.self)?.https ?? [] { site.tls = context }
    }
  }

  /// Runs something on every loop at once, and returns when each has said that it is done.
  func onEachLoop(
    _ body: @escaping @Sendable (Loop, _ done: @escaping @Sendable () -> Void) -> Void
  ) async {
    await withTaskGroup { group in
      for mailbox in loops.mailboxes {
        group.addTask { await mailbox.wait(for: body) }
      }
    }
  }
}
