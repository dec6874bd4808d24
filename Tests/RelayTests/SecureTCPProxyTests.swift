import EventLoop
import Foundation
import TLS
import Telemetry
import Testing

@testable import Relay

/// A certificate of its own authority, and who trusts it.
private struct Identity {
  let server: TLSContext
  let client: TLSContext

  init() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("tcp-\(UInt64.random(in: 0 ... .max))").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let files = try SelfSignedCertificate.make(names: [], at: folder)
    server = try TLSContext.server(TLSServerConfiguration(certificates: [files], protocols: []))
    client = try TLSContext.client(TLSClientConfiguration(trust: .file(files.certificate)))
  }
}

@Suite(.serialized) struct `Plain TCP proxy over TLS` {
  @Test(arguments: [(true, false), (false, true), (true, true)])
  func `bytes come out the same where a side speaks TLS`(client secure: Bool, origin: Bool) throws {
    let identity = try Identity()
    let rig = try TCPProxyRig(context: secure ? identity.server : nil)
    let server =
      origin
      ? try rig.origin(context: identity.server, trusted: identity.client) : try rig.origin()
    let client = try rig.client(secure ? identity.client : nil)
    let (up, down) = (noise(1_500_000, seed: 1), noise(700_000, seed: 2))
    client.send(up)
    #expect(rig.turns { server.peers.first != nil })
    let peer = try #require(server.peers.first)
    peer.send(down)
    #expect(rig.turns { peer.receivedCount == up.count && client.receivedCount == down.count })
    #expect(peer.received == up)
    #expect(client.received == down)
    #expect(rig.metrics.bytesToOrigin.value == UInt64(up.count), "plaintext is counted")
    #expect(rig.metrics.pipes.value == 0)
    client.send([1, 2, 3])
    client.finish()
    #expect(rig.turns { peer.hasSeenEnd })
    #expect(peer.receivedCount == up.count + 3)
    peer.finish()
    #expect(rig.turns { rig.isEmpty })
    #expect(rig.reports.map(\.outcome) == [.finished])
  }

  @Test(arguments: [(true, false), (false, true)])
  func `a side that reads nothing holds no more than what one read brings`(
    client secure: Bool, origin: Bool
  ) throws {
    let identity = try Identity()
    let rig = try TCPProxyRig(context: secure ? identity.server : nil)
    let server =
      origin
      ? try rig.origin(context: identity.server, trusted: identity.client) : try rig.origin()
    let client = try rig.client(secure ? identity.client : nil)
    client.send([1])
    #expect(rig.turns { server.peers.first?.received == [1] })
    let peer = try #require(server.peers.first)
    peer.isReading = false
    peer.keeps = false
    for _ in 0..<64 { client.send([UInt8](repeating: 7, count: 1 << 20)) }
    var before = UInt64.max
    while before != rig.metrics.bytesToOrigin.value {
      before = rig.metrics.bytesToOrigin.value
      for _ in 0..<20 { rig.loop.turn(maximumWait: .milliseconds(10)) }
    }
    #expect(client.waitingBytes > 32 << 20)
    peer.goOn()
    #expect(rig.turns { peer.receivedCount == 1 + 64 << 20 })
  }

  @Test func `no origin is asked before the handshake, and none by who can't do it`() throws {
    let identity = try Identity()
    var configuration = TCPProxyConfiguration()
    configuration.handshakeTimeout = .milliseconds(100)
    let rig = try TCPProxyRig(configuration, context: identity.server)
    let origin = try rig.origin()
    let stranger = try rig.client()
    stranger.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
    let silent = try rig.client()
    #expect(rig.turns { stranger.hasSeenEnd && silent.hasSeenEnd && rig.isEmpty })
    #expect(rig.reports.map(\.outcome) == [.handshake, .handshake])
    #expect(rig.questions.isEmpty)
    #expect(origin.peers.isEmpty)
  }

  @Test func `for one handshake too many the oldest is given up`() throws {
    let identity = try Identity()
    var configuration = TCPProxyConfiguration()
    configuration.maximumHandshakes = 2
    let rig = try TCPProxyRig(configuration, context: identity.server)
    let origin = try rig.origin()
    let silent = try (0..<2).map { _ in try rig.client() }
    #expect(rig.turns { rig.proxy.connectionCount == 2 })
    let honest = try rig.client(identity.client)
    honest.send([6])
    #expect(rig.turns { origin.peers.first?.received == [6] })
    #expect(rig.turns { silent.filter(\.hasSeenEnd).count == 1 })
    #expect(rig.proxy.connectionCount == 2)
  }

  @Test func `an origin with another certificate, or without TLS, is passed over`() throws {
    let identity = try Identity()
    let rig = try TCPProxyRig()
    let impostor = try rig.origin(
      "impostor", context: try Identity().server, trusted: identity.client)
    let plain = try rig.origin("plain", trusted: identity.client)
    plain.accepted = { peer in
      peer.send(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
      peer.finish()
    }
    let leaver = try rig.origin("leaver", trusted: identity.client)
    leaver.accepted = { $0.finish() }
    let origin = try rig.origin("alive", context: identity.server, trusted: identity.client)
    let client = try rig.client()
    let bytes = noise(100_000, seed: 8)
    client.send(bytes)
    #expect(rig.turns { origin.peers.first?.receivedCount == bytes.count })
    #expect(origin.peers.first?.received == bytes)
    #expect(rig.failures == ["impostor", "plain", "leaver"])
    #expect(impostor.peers.first?.received.isEmpty == true)
  }

  @Test func `a header goes ahead of TLS`() throws {
    let identity = try Identity()
    var configuration = TCPProxyConfiguration()
    configuration.sendsProxyHeader = true
    let rig = try TCPProxyRig(configuration)
    let origin = try rig.origin(trusted: identity.client)
    let client = try rig.client()
    #expect(rig.turns { (origin.peers.first?.receivedCount ?? 0) > 29 })
    let received = try #require(origin.peers.first?.received)
    guard case .complete(28, let source) = ProxyHeader.parse(received.span) else {
      Issue.record("no header")
      return
    }
    #expect(source == SocketAddress(local: client.descriptor))
    #expect(received[28] == 22, "then the handshake's record")
  }

  @Test func `when the other side says nothing more a connection with TLS ends by itself`() throws {
    let identity = try Identity()
    var configuration = TCPProxyConfiguration()
    configuration.linger = .milliseconds(50)
    let rig = try TCPProxyRig(configuration, context: identity.server)
    let origin = try rig.origin()
    let client = try rig.client(identity.client)
    client.send([1])
    #expect(rig.turns { origin.peers.first?.received == [1] })
    client.finish()
    #expect(rig.turns { origin.peers.first?.hasSeenEnd == true && rig.isEmpty })
    #expect(rig.reports.map(\.outcome) == [.finished])
  }
}
