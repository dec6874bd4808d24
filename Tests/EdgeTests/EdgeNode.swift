import Bytes
import Cache
import EventLoop
import Foundation
import HTTPClient
import HTTPServer
import HTTPTypes
import Synchronization
import Telemetry
import Testing

@testable import Edge

/// An edge with two loops in front of the scripted origin, and a client of it.
final class EdgeNode {
  let origin: ScriptedOrigin
  let proxy: EdgeProxy
  let group: LoopGroup
  private let client: HTTPClient
  private let authority: String
  let port: UInt16

  /// - Parameters:
  ///   - port: 0 takes a free one; what is kept is known by the host and the port, too.
  ///   - change: of the settings.
  /// - Throws: where something can't be started.
  init(port: UInt16 = 0, _ change: (inout EdgeConfiguration) -> Void = { _ in }) throws {
    origin = try ScriptedOrigin.shared.get()
    var configuration = EdgeConfiguration()
    configuration.upstreams = [try #require(Upstream(origin.address))]
    change(&configuration)
    let registry = MetricRegistry()
    let proxy = EdgeProxy(configuration, client: try HTTPClient())
    self.proxy = proxy
    group = try LoopGroup(count: 2)
    let address = try #require(SocketAddress(host: "127.0.0.1", port: port))
    let first = try Socket.listening(on: address)
    let bound = first.localAddress
    self.port = bound.port
    let second = try Socket.listening(on: bound)
    authority = "127.0.0.1:\(bound.port)"
    let metrics = ServerMetrics(registry)
    let counts = EdgeMetrics(registry, of: proxy)
    let sockets = [first.release(), second.release()]
    for (mailbox, descriptor) in zip(group.mailboxes, sockets) {
      mailbox.submit { loop in
        let server = LoopServer(on: loop, metrics: metrics)
        loop.setLocal(server)
        let handler = EdgeHandler(proxy, counts, on: server)
        _ = try? server.listen(Socket(owning: descriptor), tls: nil, handler: handler)
      }
    }
    var settings = HTTPClientConfiguration()
    settings.maxConcurrent = 400
    settings.maxPerHost = 400
    client = try HTTPClient(settings)
  }

  deinit { stop() }

  /// Ends its loops and closes its port.
  func stop() { group.stop() }

  /// What the edge answers.
  func get(
    _ path: String, _ fields: [(String, String)] = [], method: HTTPRequest.Method = .get,
    most: Int = 64 << 20
  ) async throws -> (head: HTTPResponse, body: [UInt8]) {
    var request = HTTPRequest(method: method, scheme: "http", authority: authority, path: path)
    for (name, value) in fields {
      request.headerFields.append(
        HTTPField(name: try #require(HTTPField.Name(name)), value: value))
    }
    let answer = try await client.send(request, deadline: .seconds(60), maxResponseBytes: most)
    return (answer.0, answer.1)
  }

  /// What the edge answers, as it comes.
  func stream(_ path: String, _ fields: HTTPFields = HTTPFields()) throws -> ArrivingBody {
    let request = HTTPRequest(
      method: .get, scheme: "http", authority: authority, path: path, headerFields: fields)
    let body = ArrivingBody()
    _ = try client.stream(
      request, headDeadline: .seconds(60), stall: .seconds(60), to: body)
    return body
  }

  /// Tells the origin, without the edge.
  private func tell(_ path: String) async throws -> [UInt8] {
    let authority = String(origin.address.dropFirst("http://".count))
    let request = HTTPRequest(method: .get, scheme: "http", authority: authority, path: path)
    return try await client.send(request, deadline: .seconds(60)).1
  }

  func set(_ name: String, _ rule: String) async throws {
    _ = try await tell("/set/\(name)?\(rule)")
  }

  func open(_ name: String) async throws { _ = try await tell("/open/\(name)") }

  /// How often the origin was asked for an object.
  func count(_ name: String) async throws -> Int {
    try #require(try await counted(name)["count"] as? Int)
  }

  /// The fields that it was asked with last.
  func asked(_ name: String) async throws -> [String: String] {
    try #require(try await counted(name)["asked"] as? [String: String])
  }

  private func counted(_ name: String) async throws -> [String: Any] {
    let answer = try await tell("/count/\(name)")
    return try #require(try JSONSerialization.jsonObject(with: Data(answer)) as? [String: Any])
  }

  /// Waits until nothing is asked for, and all that has come is kept.
  func allHasLanded() async throws -> Bool {
    try await eventually { proxy.flights.count == 0 && proxy.fills.withLock(\.isEmpty) }
  }

  /// Waits until something holds; false when it does not within a generous limit.
  func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<6_000 {
      if try await condition() { return true }
      try await Task.sleep(for: .milliseconds(10))
    }
    return false
  }
}

/// A body on its way to a client.
final class ArrivingBody: ResponseReceiver {
  private let state = Mutex((bytes: [UInt8](), isWhole: false))

  var bytes: [UInt8] { state.withLock { $0.bytes } }
  var isWhole: Bool { state.withLock { $0.isWhole } }

  func received(head: HTTPResponse) {}

  func received(body: borrowing Span<UInt8>) -> Bool {
    let piece = [UInt8](copying: body)
    state.withLock { $0.bytes += piece }
    return true
  }

  func caughtUp() {}

  func ended(_ problem: HTTPClientError?) { state.withLock { $0.isWhole = problem == nil } }
}

extension HTTPResponse {
  /// What the cache did.
  var cacheWord: String? { headerFields[.xCacheStatus] }
}

/// Lends an edge to tasks; it outlives them all.
final class Held: @unchecked Sendable {
  // Unchecked: what tasks use of it is sendable.
  let value: EdgeNode
  init(_ value: EdgeNode) { self.value = value }
}
