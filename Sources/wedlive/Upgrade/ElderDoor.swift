import EventLoop
import HTTPServer
import HTTPTypes
import Logging
import Origin
import Viewers

/// Where this process shows the streams that it still has to the one that has taken over.
///
/// On one loop, which knows the streams of all. It has a server of its own: that of viewers is drained.
final class ElderDoor {
  let server: LoopServer
  let port: UInt16

  private init(_ server: LoopServer, _ port: UInt16) {
    self.server = server
    self.port = port
  }

  /// Opens it on a node's first loop.
  ///
  /// - Parameters:
  ///   - frame: of the node.
  ///   - others: of the processes before this one.
  ///   - configuration: of its server.
  ///   - metrics: of the same.
  ///   - status: answers what this process has.
  ///   - orders: does what the other one asks; nil where there is nothing to be asked for.
  /// - Returns: this process's door and the others.
  static func open(
    at frame: NodeFrame, besides others: [UpgradeMessage.Door],
    _ configuration: ServerConfiguration,
    _ metrics: ServerMetrics, status: APICall, orders: APICall?
  ) async -> [UpgradeMessage.Door] {
    let secret = others.first?.secret ?? (0..<32).map { _ in UInt8.random(in: .min ... .max) }
    let pass = PeerPass(secret: secret)
    do {
      let port = try await frame.loops.mailboxes[0].run { loop in
        try open(on: loop, pass, configuration, metrics, status: status, orders: orders)
      }
      return (port.map { [UpgradeMessage.Door(port: $0, secret: secret)] } ?? []) + others
    } catch {
      frame.logger.error(
        "what stays with this process can't be seen by way of the new one",
        metadata: ["error": "\(error)"])
      return others
    }
  }

  /// Opens it, where it isn't open.
  ///
  /// - Parameters:
  ///   - loop: where it is.
  ///   - pass: that who asks has to show.
  ///   - configuration: of the server.
  ///   - metrics: of the same.
  ///   - status: answers what this process has.
  ///   - orders: does what the other one asks.
  /// - Returns: its port at 127.0.0.1.
  /// - Throws: `SystemError` where no port is left.
  private static func open(
    on loop: Loop, _ pass: PeerPass, _ configuration: ServerConfiguration,
    _ metrics: ServerMetrics, status: APICall, orders: APICall?
  ) throws -> UInt16? {
    if let open = loop.local(ElderDoor.self) { return open.port }
    guard let site = loop.local(ViewerSite.self),
      let place = SocketAddress(host: "127.0.0.1", port: 0)
    else { return nil }
    let socket = try Socket.listening(on: place)
    let port = socket.localAddress.port
    let server = LoopServer(on: loop, configuration: configuration, metrics: metrics)
    try server.listen(
      socket, tls: nil, acceptsProxyHeader: false,
      handler: PeerHandler(
        table: site.table, pass: pass,
        launch: String(UInt64.random(in: .min ... .max), radix: 36), status: status, orders: orders,
        inner: site.handler))
    loop.setLocal(ElderDoor(server, port))
    return port
  }
}
