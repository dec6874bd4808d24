import EventLoop
import Foundation
import Ingest
import Media
import RTMP
import TLS
import Testing

@Suite struct `RTMP publisher` {
  /// A publisher and what it told.
  final class Probe {
    var events: [RTMPPublisher.Event] = []
    var publisher: RTMPPublisher?

    var end: ClientEnd? {
      if case .ended(let end)? = events.last { end } else { nil }
    }
  }

  let loop: Loop
  let server: LoopbackServer

  init() throws {
    loop = try Loop()
    server = try LoopbackServer(loop)
  }

  /// Takes turns until something is so; a generous limit ends a test that would never end.
  func turns(_ what: Comment = "in time", until isSo: () -> Bool) {
    let limit = MonotonicTime.now + .seconds(120)
    while !isSo(), MonotonicTime.now < limit { loop.turn(maximumWait: .milliseconds(50)) }
    #expect(isSo(), what)
  }

  func publish(
    _ path: String = "live/anna-ben?token=x", secure: Bool = false, port: UInt16? = nil,
    options: RTMPPublisher.Options = .init(), addresses: [SocketAddress]? = nil
  ) throws -> Probe {
    let port = port ?? server.port
    let address = try RTMPAddress("\(secure ? "rtmps" : "rtmp")://localhost:\(port)/\(path)")
    let probe = Probe()
    let publisher = RTMPPublisher(to: address, options: options, on: loop) { [weak probe] in
      probe?.events.append($0)
    }
    probe.publisher = publisher
    publisher.start(addresses ?? [SocketAddress(host: "127.0.0.1", port: port)].compactMap(\.self))
    return probe
  }

  func tag(_ count: Int, at time: UInt32 = 0) -> FLVTag {
    FLVTag(kind: .video, timestamp: time, body: [0x17, 1] + [UInt8](repeating: 7, count: count))
  }

  @Test func `sends what it is given, in order, and ends politely`() throws {
    let probe = try publish()
    turns { probe.publisher?.isStarted ?? false }
    probe.publisher?.send(metadata: ["width": 320])
    for index in 0..<300 { probe.publisher?.send(tag(20_000, at: UInt32(index))) }
    probe.publisher?.finish()
    turns { probe.end != nil }
    #expect(probe.end == .finished)
    turns { server.messages.count == 301 && !server.ends.isEmpty }
    #expect(server.messages.dropFirst().map(\.timestamp) == (0..<300).map { UInt32($0) })
    #expect(server.messages.last?.payload.count == 20_002)
    #expect(server.connects.first?.tcUrl == "rtmp://localhost:\(server.port)/live")
    #expect(server.names.first?.path == "anna-ben")
    #expect(server.names.first?["token"] == "x")
    #expect(probe.publisher?.waitingBytes == 0)
    #expect(probe.publisher?.sentBytes ?? 0 > 6_000_000)
  }

  @Test func `a refusal is told in the server's words`() throws {
    server.answer = .refuse("The token has expired.")
    let probe = try publish()
    turns { probe.end != nil }
    let words = probe.end.map { "\($0)" }
    #expect(words == "the server refused: The token has expired. (NetStream.Publish.Denied)")
    #expect(probe.end?.isRetryUseful == false)
  }

  @Test func `a server that ends the stream is told apart from one that breaks`() throws {
    let first = try publish()
    turns { first.publisher?.isStarted ?? false }
    server.kick("Another publisher took over.")
    turns { first.end != nil }
    #expect(first.end.map { "\($0)" }?.contains("Another publisher took over.") == true)

    let second = try publish()
    turns { second.publisher?.isStarted ?? false }
    server.drop()
    turns { second.end != nil }
    #expect(second.end == .lost(.streaming))
  }

  @Test func `a server that hangs up instead of answering is told`() throws {
    server.answer = .close
    let probe = try publish()
    turns { probe.end != nil }
    #expect(probe.end == .lost(.requesting))
  }

  @Test func `a silent server is given up`() throws {
    server.answer = .silence
    var options = RTMPPublisher.Options()
    options.timeouts.start = .milliseconds(100)
    let probe = try publish(options: options)
    turns { probe.end != nil }
    #expect(probe.end == .timedOut(.requesting))
  }

  @Test func `the next address is tried where one does not answer`() throws {
    let dead = try Socket.listening(on: try #require(SocketAddress(host: "127.0.0.1", port: 0)))
    let port = dead.localAddress.port
    close(dead.release())
    let addresses = [port, server.port].compactMap { SocketAddress(host: "127.0.0.1", port: $0) }
    let probe = try publish(addresses: addresses)
    turns { probe.publisher?.isStarted ?? false }

    let none = try publish(addresses: Array(addresses.prefix(1)))
    turns { none.end != nil }
    guard case .unreachable(let error)? = none.end else {
      Issue.record("\(String(describing: none.end))")
      return
    }
    #expect(error.code == ECONNREFUSED)
  }

  @Test func `an unknown host is told`() throws {
    let probe = try publish(addresses: [])
    #expect(probe.end == .unknownHost("localhost"))
  }

  @Test func `a server that takes nothing lets bytes wait, and is given up`() throws {
    server.stopsReading = true
    var options = RTMPPublisher.Options()
    options.timeouts.stall = .milliseconds(150)
    let probe = try publish(options: options)
    turns { probe.publisher?.isStarted ?? false }
    probe.publisher?.send(tag(16 << 20))
    turns { (probe.publisher?.waitingBytes ?? 0) > 0 }
    turns { probe.end != nil }
    #expect(probe.end == .timedOut(.streaming))
  }

  @Test func `it tells when all has gone out after it had to wait`() throws {
    server.stopsReading = true
    let probe = try publish()
    turns { probe.publisher?.isStarted ?? false }
    probe.publisher?.send(tag(15 << 20))
    turns { (probe.publisher?.waitingBytes ?? 0) > 0 && probe.publisher?.sentBytes ?? 0 > 10_000 }
    probe.events = []
    server.resume()
    turns { probe.events.last == .drained }
    turns { server.messages.first?.payload.count == 15 << 20 | 2 }
  }

  @Test func `TLS: a trusted server gets the stream, another one nothing`() throws {
    let folder = NSTemporaryDirectory() + "wedlive-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let authority = try CertificateAuthority(at: folder)
    let files = try authority.leaf(names: ["localhost"], at: folder + "/server")
    server.tls = try TLSContext.server(
      TLSServerConfiguration(certificates: [files], protocols: []))

    let trusting = try TLSContext.client(
      TLSClientConfiguration(trust: .file(authority.certificatePath)))
    let probe = try publish(secure: true, options: .init(tls: trusting))
    turns { probe.publisher?.isStarted ?? false }
    for index in 0..<100 { probe.publisher?.send(tag(50_000, at: UInt32(index))) }
    probe.publisher?.finish()
    turns { probe.end != nil }
    #expect(probe.end == .finished)
    turns { server.messages.count == 100 }

    let doubting = try TLSContext.client(TLSClientConfiguration(trust: .system))
    let refused = try publish(secure: true, options: .init(tls: doubting))
    turns { refused.end != nil }
    let words = refused.end.map { "\($0)" } ?? ""
    #expect(
      words.hasPrefix("no secure connection: the server's certificate is refused"), "\(words)")
    #expect(server.names.count == 1)
  }
}
