import EventLoop
import Glibc
import HTTPServer
import HTTPTypes
import Logging
import Origin
import Viewers

/// Where this process shows the streams that it still has to the one that has taken over.
///
/// On one loop, which knows the streams of all. It has a server of its own: that of viewers is
/// drained.
final class ElderDoor {
  let server: LoopServer
  let door: UpgradeMessage.Door

  private init(_ server: LoopServer, _ door: UpgradeMessage.Door) {
    self.server = server
    self.door = door
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
  ///   - elders: have made some of what this process has listed; nil where none has.
  /// - Returns: this process's door and the others.
  static func open(
    at frame: NodeFrame, besides others: [UpgradeMessage.Door],
    _ configuration: ServerConfiguration,
    _ metrics: ServerMetrics, status: APICall, orders: APICall?, elders: ElderStreams? = nil
  ) async -> [UpgradeMessage.Door] {
    let secret = others.first?.secret ?? (0..<32).map { _ in UInt8.random(in: .min ... .max) }
    do {
      let door = try await frame.loops.mailboxes[0].run { loop in
        try open(
          on: loop, secret, configuration, metrics, status: status, orders: orders, elders: elders)
      }
      return (door.map { [$0] } ?? []) + others
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
  ///   - secret: that who asks has to show a pass of, where it isn't open yet.
  ///   - configuration: of the server.
  ///   - metrics: of the same.
  ///   - status: answers what this process has.
  ///   - orders: does what the other one asks.
  ///   - elders: have made some of what this process has listed.
  /// - Returns: where it is.
  /// - Throws: `SystemError` where no port is left.
  private static func open(
    on loop: Loop, _ secret: [UInt8], _ configuration: ServerConfiguration,
    _ metrics: ServerMetrics, status: APICall, orders: APICall?, elders: ElderStreams?
  ) throws -> UpgradeMessage.Door? {
    if let open = loop.local(ElderDoor.self) { return open.door }
    guard let site = loop.local(ViewerSite.self),
      let place = SocketAddress(host: "127.0.0.1", port: 0)
    else { return nil }
    let socket = try Socket.listening(on: place)
    let door = UpgradeMessage.Door(
      port: socket.localAddress.port, process: getpid(), secret: secret)
    let server = LoopServer(on: loop, configuration: configuration, metrics: metrics)
    try server.listen(
      socket, tls: nil, acceptsProxyHeader: false,
      handler: PeerHandler(
        table: site.table, pass: PeerPass(secret: secret),
        launch: String(UInt64.random(in: .min ... .max), radix: 36),
        carried: elders?.carried(on: server), status: status, orders: orders,
        inner: site.handler))
    loop.setLocal(ElderDoor(server, door))
    return door
  }
}
