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
  /// Nil where nodes don't know each other by certificates.
  let peers: PeerSources?
  let registry: MetricRegistry
  let health: Health
  let logger: Logger

  /// Seals session tickets with these keys from now on.
  func use(_ keys: TicketKeys) {
    https.ticketKeys = keys
    rtmps.ticketKeys = keys
  }

  /// Gives every loop the certificates that were read last.
  func useCertificate() {
    let (context, peers) = (https.current, peers?.https.current)
    loops.submitToAll { loop in
      guard let sites = loop.local(LoopSites.self) else { return }
      for site in sites.https { site.tls = context }
      for site in sites.peers { if let peers { site.tls = peers } }
    }
  }

  /// All that is read from files which may change.
  var sources: [TLSContextSource] {
    [https, rtmps, peers?.https, peers?.rtmps, peers?.client].compactMap(\.self)
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

/// What nodes of a cluster show each other: at the ports that are theirs alone, and there of
/// others.
struct PeerSources: Sendable {
  let https: TLSContextSource
  let rtmps: TLSContextSource
  let client: TLSContextSource
}
