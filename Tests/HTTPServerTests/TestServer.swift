import EventLoop
import Foundation
import HTTPServer
import Synchronization
import TLS
import Telemetry
import Testing

/// A server on a loop of its own, with an HTTPS and a plain listener on free ports.
final class TestServer {
  let group: LoopGroup
  let registry: MetricRegistry
  let tlsPort: UInt16
  let plainPort: UInt16
  /// Plain, for the operator.
  let operatorPort: UInt16
  let certificate: String
  private let directory: String

  init(
    _ change: (inout ServerConfiguration) -> Void = { _ in },
    handler: @escaping @Sendable () -> RequestHandler = { PagesHandler() }
  ) throws {
    var configuration = ServerConfiguration()
    change(&configuration)
    directory = NSTemporaryDirectory() + "wedlive-http-" + UUID().uuidString
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
    let files = try SelfSignedCertificate.make(at: directory)
    certificate = files.certificate
    let tls = try TLSContext.server(
      TLSServerConfiguration(certificates: [files], fastCipher: .off))
    registry = MetricRegistry()
    let metrics = ServerMetrics(registry)
    group = try LoopGroup(count: 1)
    let settings = configuration
    let ready = DispatchSemaphore(value: 0)
    let ports = Ports()
    group.mailboxes[0].submit { loop in
      defer { ready.signal() }
      let server = LoopServer(on: loop, configuration: settings, metrics: metrics)
      loop.setLocal(server)
      let handler = handler()
      for (context, isForOperator) in [(tls, false), (nil, false), (nil, true)] {
        guard let address = SocketAddress(host: "127.0.0.1", port: 0),
          let socket = try? Socket.listening(on: address)
        else { return }
        ports.append(socket.localAddress.port)
        _ = try? server.listen(socket, tls: context, isForOperator: isForOperator, handler: handler)
      }
    }
    ready.wait()
    let found = ports.all
    try #require(found.count == 3)
    (tlsPort, plainPort, operatorPort) = (found[0], found[1], found[2])
  }

  private final class Ports: Sendable {
    private let list = Mutex<[UInt16]>([])
    func append(_ port: UInt16) { list.withLock { $0.append(port) } }
    var all: [UInt16] { list.withLock { $0 } }
  }

  /// Runs work with the server on its loop, and waits for it.
  func onLoop<Value: Sendable>(
    _ work: @escaping @Sendable (LoopServer) throws -> Value
  ) async throws -> Value {
    try await group.mailboxes[0].run { loop in
      guard let server = loop.local(LoopServer.self) else { throw LoopEnded() }
      return try work(server)
    }
  }

  /// The value of one series of the metrics; 0 where it is not there.
  func metric(_ series: String) -> Int {
    let text = String(decoding: registry.text(), as: UTF8.self)
    for line in text.split(separator: "\n") where line.hasPrefix(series + " ") {
      return Int(line.split(separator: " ").last ?? "") ?? 0
    }
    return 0
  }

  /// How many connections were closed for a reason.
  func closed(_ reason: String) -> Int {
    metric("wedlive_http_connections_closed_total{reason=\"\(reason)\"}")
  }

  /// Waits until something holds; false when it does not within a generous limit.
  func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<6000 {
      if condition() { return true }
      usleep(10_000)
    }
    return false
  }

  deinit {
    group.stop()
    try? FileManager.default.removeItem(atPath: directory)
  }
}

extension TestServer {
  /// Connects with HTTP/1.1.
  func client(secure: Bool) throws -> TestClient {
    secure
      ? try TestClient(tls: tlsPort, trusting: certificate, protocols: ["http/1.1"])
      : try TestClient(plain: plainPort)
  }

  /// Connects with HTTP/2, and says the preface.
  func http2(settings: [(UInt16, UInt32)] = [], receiveBuffer: Int32? = nil) throws -> TestClient {
    let client = try TestClient(
      tls: tlsPort, trusting: certificate, protocols: ["h2"], receiveBuffer: receiveBuffer)
    client.send(Frames.preface + Frames.settings(settings))
    return client
  }
}

/// The handler of a server's loop, remembered so that a test can ask it on that loop.
final class Handlers: @unchecked Sendable {
  // Unchecked: touched on the server's loop alone.
  private var pages: PagesHandler?

  func make() -> PagesHandler {
    let handler = PagesHandler()
    pages = handler
    return handler
  }

  var tokens: [HeldRequest] { pages?.held ?? [] }
}
