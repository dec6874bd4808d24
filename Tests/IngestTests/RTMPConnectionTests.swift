import EventLoop
import Foundation
import Ingest
import Media
import RTMP
import TLS
import Telemetry
import Testing

@Suite struct `RTMP connection` {
  private func bytes(_ role: UInt8, _ count: Int) -> [UInt8] {
    [role] + [UInt8](repeating: role &+ 7, count: count)
  }

  @Test func `what is published arrives at a player whole and in order`() throws {
    let server = try TestServer()
    let publisher = try TestClient(.publish, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { publisher.hasStarted })
    let player = try TestClient(.play, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { player.hasStarted })
    publisher.publish(.video, 0, bytes(0, 40))
    for index in 0..<50 {
      publisher.publish(.video, UInt32(index * 40), bytes(index % 10 == 0 ? 1 : 2, index * 997))
      publisher.publish(.audio, UInt32(index * 40 + 20), bytes(9, 100 + index))
    }
    #expect(server.turns { player.video.count == 51 && player.audio.count == 50 })
    #expect(player.video.map(\.timestamp) == [0] + (0..<50).map { UInt32($0 * 40) })
    #expect(player.video.last?.payload == bytes(2, 49 * 997))
    #expect(player.audio.last?.payload == bytes(9, 149))
  }

  @Test func `a player that comes late starts at the last keyframe, headers first`() throws {
    let server = try TestServer()
    let publisher = try TestClient(.publish, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { publisher.hasStarted })
    publisher.publish(.video, 0, bytes(0, 40))
    for index in 0..<25 {
      publisher.publish(.video, UInt32(index * 40), bytes(index % 10 == 0 ? 1 : 2, 200))
    }
    publisher.publish(.audio, 999, bytes(9, 5))
    // The last message has been taken once the server has counted it.
    #expect(server.turns { (server.publishers.first?.bytesReceived ?? 0) > 26 * 200 })
    let player = try TestClient(.play, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { player.audio.count == 1 })
    #expect(player.video.map { $0.payload[0] } == [0, 1, 2, 2, 2, 2])
    #expect(player.video.map(\.timestamp) == [800, 800, 840, 880, 920, 960])
  }

  @Test func `a refused publisher is told why, and its connection ends`() throws {
    let server = try TestServer()
    let publisher = try TestClient(.publish, name: "no", port: server.port, on: server.loop)
    #expect(server.turns { publisher.refusal != nil && publisher.end != nil })
    #expect(publisher.refusal?.code == "NetStream.Publish.Denied")
    #expect(publisher.refusal?.text == "the token has expired")
    #expect(server.turns { server.closed == ["publish refused"] })
  }

  @Test func `what a publisher sends before it is admitted is not lost`() throws {
    let server = try TestServer(answersLater: true)
    let publisher = try TestClient(.publish, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { !server.waiting.isEmpty })
    let player = try TestClient(.play, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { player.hasStarted })
    let connection = try #require(server.waiting.first)
    // A real client waits for the answer, a hasty one does not: this is what it would send.
    var hasty: [UInt8] = []
    var writer = ChunkWriter()
    writer.setChunkSize(60_000, into: &hasty)
    writer.write(
      .video, on: 6, streamID: 1, timestamp: 0, payload: bytes(0, 10).span, into: &hasty)
    writer.write(
      .video, on: 6, streamID: 1, timestamp: 0, payload: bytes(1, 10).span, into: &hasty)
    publisher.send(hasty)
    let before = connection.bytesReceived
    #expect(server.turns { connection.bytesReceived > before })
    server.admit(connection)
    #expect(server.turns { player.video.count == 2 })
  }

  @Test func `a player that reads nothing is dropped to a keyframe and grows no memory`() throws {
    var configuration = IngestConfiguration()
    configuration.playerQueueBytes = 1 << 20
    let server = try TestServer(configuration)
    let publisher = try TestClient(.publish, name: "w", port: server.port, on: server.loop)
    let player = try TestClient(.play, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { publisher.hasStarted && player.hasStarted })
    player.isStalled = true
    publisher.publish(.video, 0, bytes(0, 40))
    var most = 0
    for index in 0..<400 {
      publisher.publish(.video, UInt32(index * 40), bytes(index % 20 == 0 ? 1 : 2, 100_000))
      server.loop.turn(maximumWait: .zero)
      server.server.forEachConnection { if $0.isPlaying { most = max(most, $0.queuedBytes) } }
    }
    #expect(server.turns { publisher.queuedBytes == 0 })
    #expect(most < 3 << 20)
    player.isStalled = false
    player.readable()
    #expect(
      server.turns {
        var waiting = 0
        server.server.forEachConnection { waiting += $0.queuedBytes }
        return waiting == 0
      })
    let seen = player.video.count
    publisher.publish(.video, 99_000, bytes(2, 50))
    publisher.publish(.video, 99_040, bytes(1, 50))
    #expect(server.turns { player.video.last?.timestamp == 99_040 })
    #expect(!player.video[seen...].contains { $0.timestamp == 99_000 })
    // Each picture is there or not; what follows a gap starts with a keyframe.
    var last = 0
    for message in player.video.dropFirst() where message.timestamp < 90_000 {
      let index = Int(message.timestamp / 40)
      #expect(index == last + 1 || message.payload[0] == 1)
      last = index
    }
  }

  @Test func `garbage ends its own connection, counted, and nobody else's`() throws {
    let server = try TestServer()
    let publisher = try TestClient(.publish, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { publisher.hasStarted })
    let bad = try TestClient(.play, name: "x", port: server.port, on: server.loop)
    bad.send([UInt8](repeating: 0xff, count: 5_000))
    #expect(server.turns { bad.end != nil })
    #expect(server.turns { server.closed.count == 1 })
    #expect(publisher.end == nil)
    let text = String(decoding: server.registry.text(), as: UTF8.self)
    #expect(text.contains("wedlive_rtmp_closed_total{reason=\"protocol: "))
    #expect(text.contains("nginx_rtmp_connections 1\n"))
  }

  @Test func `more connections than allowed are closed at once`() throws {
    var configuration = IngestConfiguration()
    configuration.maximumConnections = 1
    let server = try TestServer(configuration)
    let first = try TestClient(.publish, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { first.hasStarted })
    let second = try TestClient(.play, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { second.end != nil })
    #expect(first.end == nil)
    first.leave()
    #expect(server.turns { server.server.connectionCount == 0 })
  }

  @Test func `a trusted balancer says who the client is, before the handshake`() throws {
    var configuration = IngestConfiguration()
    configuration.trustedProxies = ["127.0.0.1"]
    let server = try TestServer(configuration)
    let publisher = try TestClient(
      .publish, name: "w", port: server.port, on: server.loop,
      preamble: Array("PROXY TCP4 203.0.113.9 192.0.2.1 5555 1935\r\n".utf8))
    #expect(server.turns { publisher.hasStarted })
    #expect(server.publishers.first?.peer.host == "203.0.113.9")
    let bare = try TestClient(.publish, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { bare.end != nil })
    #expect(server.closed == ["bad PROXY header"])
  }

  @Test func `RTMPS is RTMP inside TLS`() throws {
    let folder = NSTemporaryDirectory() + "wedlive-ingest-\(UInt32.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let files = try SelfSignedCertificate.make(names: [], at: folder)
    let context = try TLSContext.server(
      TLSServerConfiguration(certificates: [files], protocols: []))
    let server = try TestServer(context: context)
    let client = try TLSContext.client(TLSClientConfiguration(trust: .file(files.certificate)))
    let buffers = TLSBuffers()
    let sessions = [0, 1].compactMap { _ in
      TLSSession(client: client, serverName: "localhost", buffers: buffers)
    }
    try #require(sessions.count == 2)
    let publisher = try TestClient(
      .publish, name: "w", port: server.port, on: server.loop, tls: sessions[0])
    let player = try TestClient(
      .play, name: "w", port: server.port, on: server.loop, tls: sessions[1])
    #expect(server.turns { publisher.hasStarted && player.hasStarted })
    publisher.publish(.video, 0, bytes(0, 40))
    publisher.publish(.video, 0, bytes(1, 300_000))
    publisher.publish(.audio, 5, bytes(9, 10))
    #expect(server.turns { player.audio.count == 1 })
    #expect(player.video.last?.payload == bytes(1, 300_000))
    #expect(server.publishers.first?.isSecure == true)
  }

  @Test func `for a TLS handshake beyond the limit the oldest is given up`() throws {
    let folder = NSTemporaryDirectory() + "wedlive-ingest-\(UInt32.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let files = try SelfSignedCertificate.make(names: [], at: folder)
    let context = try TLSContext.server(
      TLSServerConfiguration(certificates: [files], protocols: []))
    var configuration = IngestConfiguration()
    configuration.maximumHandshakes = 1
    let server = try TestServer(configuration, context: context)
    let address = try #require(SocketAddress(host: "127.0.0.1", port: server.port))
    let silent = try Socket.connecting(to: address)
    #expect(server.turns { server.server.connectionCount == 1 })
    let second = try Socket.connecting(to: address)
    #expect(
      server.turns {
        let text = String(decoding: server.registry.text(), as: UTF8.self)
        return text.contains("wedlive_rtmp_closed_total{reason=\"too many handshakes\"} 1")
      })
    #expect(server.server.connectionCount == 1)
    _ = (silent.descriptor, second.descriptor)
  }

  @Test func `a publication's name finds it and no later one of the same connection`() throws {
    let server = try TestServer()
    let publisher = try TestClient(.publish, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { publisher.hasStarted })
    let connection = try #require(server.publishers.first)
    let first = connection.publicationID
    #expect(first.connection(on: server.loop) === connection)
    publisher.command("closeStream", streamID: 1, [.null])
    #expect(server.turns { !connection.isPublishing })
    publisher.command("publish", streamID: 1, [.null, "w", "live"])
    #expect(server.turns { connection.isPublishing })
    #expect(first.connection(on: server.loop) == nil)
    #expect(connection.publicationID.connection(on: server.loop) === connection)
    publisher.leave()
    #expect(server.turns { server.server.connectionCount == 0 })
    #expect(connection.publicationID.connection(on: server.loop) == nil)
  }

  @Test func `a player's end is told once, also where it has gone before it was admitted`() throws {
    let server = try TestServer()
    server.answersPlayersLater = true
    let first = try TestClient(.play, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { server.waiting.count == 1 })
    var endings = 0
    server.waiting[0].acceptPlay(1, of: server.key) { endings += 1 }
    #expect(server.turns { first.hasStarted })
    #expect(endings == 0)
    first.command("closeStream", streamID: 1, [.null])
    #expect(server.turns { endings == 1 })
    first.leave()
    let second = try TestClient(.play, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { server.waiting.count == 2 })
    second.leave()
    #expect(server.turns { server.server.connectionCount == 0 })
    #expect(endings == 1)
    server.waiting[1].acceptPlay(1, of: server.key) { endings += 1 }
    #expect(endings == 2)
  }

  @Test func `a publisher may take its time between two publications`() throws {
    var configuration = IngestConfiguration()
    configuration.commandTimeout = .milliseconds(1_500)
    configuration.idleTimeout = .milliseconds(60_000)
    let server = try TestServer(configuration)
    let publisher = try TestClient(.publish, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { publisher.hasStarted })
    let connection = try #require(server.publishers.first)
    let start = connection.acceptedAt
    // It publishes for longer than a client may ask for nothing.
    #expect(server.turns { server.loop.now - start > .milliseconds(2_500) })
    publisher.command("closeStream", streamID: 1, [.null])
    #expect(server.turns { !connection.isPublishing })
    let closed = server.loop.now
    #expect(server.turns { publisher.end != nil })
    #expect(server.loop.now - closed > .milliseconds(1_000))
    #expect(server.closed == ["asked for nothing"])
  }

  @Test func `empty messages before the admission are counted as well`() throws {
    let server = try TestServer(answersLater: true)
    let publisher = try TestClient(.publish, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { !server.waiting.isEmpty })
    var flood: [UInt8] = []
    var writer = ChunkWriter()
    let silence: [UInt8] = []
    for _ in 0..<1_000 {
      writer.write(.audio, on: 6, streamID: 1, timestamp: 0, payload: silence.span, into: &flood)
    }
    for _ in 0..<40 { publisher.send(flood) }
    #expect(server.turns { publisher.end != nil })
    #expect(server.closed == ["sent too much before it was admitted"])
  }

  @Test func `a publisher that isn't read isn't silent, and nothing of it is lost`() throws {
    var configuration = IngestConfiguration()
    configuration.idleTimeout = .milliseconds(1_200)
    configuration.coalesce = .zero
    let server = try TestServer(configuration)
    let publisher = try TestClient(.publish, name: "w", port: server.port, on: server.loop)
    let player = try TestClient(.play, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { publisher.hasStarted && player.hasStarted })
    let connection = try #require(server.publishers.first)
    connection.holdBack()
    let start = server.loop.now
    for index in 0..<200 {
      publisher.publish(.video, UInt32(index * 40), bytes(index == 0 ? 1 : 2, 10_000))
    }
    #expect(server.turns { server.loop.now - start > .milliseconds(3_500) })
    #expect(connection.isPublishing)
    #expect(player.video.isEmpty)
    connection.goOn()
    #expect(server.turns { player.video.count == 200 })
    // Read again, it may not be silent.
    #expect(server.turns { server.closed.contains("publisher is silent") })
  }
}
