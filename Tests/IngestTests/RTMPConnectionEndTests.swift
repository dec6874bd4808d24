import EventLoop
import Ingest
import Media
import RTMP
import Testing

@Suite struct `RTMP connection, its end` {
  private func bytes(_ role: UInt8, _ count: Int) -> [UInt8] {
    [role] + [UInt8](repeating: role &+ 7, count: count)
  }

  @Test func `a publisher that falls silent is closed, and players go on with the next one`() throws
  {
    var configuration = IngestConfiguration()
    configuration.idleTimeout = .milliseconds(300)
    let server = try TestServer(configuration)
    let first = try TestClient(.publish, name: "w", port: server.port, on: server.loop)
    let player = try TestClient(.play, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { first.hasStarted && player.hasStarted })
    first.publish(.video, 0, bytes(0, 40))
    first.publish(.video, 0, bytes(1, 40))
    #expect(server.turns { first.end != nil })
    #expect(server.closed == ["publisher is silent"])
    #expect(first.ending?.text == "publisher is silent")
    let second = try TestClient(.publish, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { second.hasStarted })
    second.publish(.video, 0, bytes(0, 40))
    second.publish(.video, 40, bytes(2, 40))
    second.publish(.video, 80, bytes(1, 41))
    #expect(server.turns { player.video.last?.payload.count == 42 })
    #expect(player.video.map { $0.payload[0] } == [0, 1, 0, 1])
    #expect(player.ending == nil)
  }

  @Test func `an evicted publisher hears that somebody has taken over`() throws {
    let server = try TestServer()
    let publisher = try TestClient(.publish, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { publisher.hasStarted })
    let connection = try #require(server.publishers.first)
    connection.evict("another encoder has taken over")
    #expect(!connection.isPublishing)
    #expect(server.turns { publisher.end != nil })
    #expect(publisher.ending?.text == "another encoder has taken over")
  }

  @Test func `what it is told survives what it is still sending`() throws {
    let server = try TestServer()
    let publisher = try TestClient(.publish, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { publisher.hasStarted })
    publisher.isStalled = true
    let connection = try #require(server.publishers.first)
    connection.evict("another encoder has taken over")
    #expect(server.server.connectionCount == 1)
    let received = connection.bytesReceived
    let payload = [UInt8](repeating: 0x27, count: 100_000)
    for time in 0..<5 { publisher.publish(.video, UInt32(time), payload) }
    #expect(server.turns { connection.bytesReceived > received + 400_000 })
    publisher.isStalled = false
    publisher.readable()
    #expect(server.turns { publisher.end != nil })
    #expect(publisher.end == .closedByPeer)
    #expect(publisher.ending?.text == "another encoder has taken over")
    #expect(server.turns { server.closed == ["taken over"] })
  }

  @Test func `a server that stops closes every connection in order`() throws {
    let server = try TestServer()
    let publisher = try TestClient(.publish, name: "w", port: server.port, on: server.loop)
    let player = try TestClient(.play, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { publisher.hasStarted && player.hasStarted })
    server.server.forEachConnection { $0.stop("stopping") }
    var isEmpty = false
    server.server.whenEmpty { isEmpty = true }
    #expect(!isEmpty)
    #expect(server.turns { isEmpty })
    #expect(publisher.end == .closedByPeer && player.end == .closedByPeer)
    #expect(publisher.ending?.code == "NetStream.Publish.Failed")
    #expect(publisher.ending?.text == "stopping")
    #expect(server.closed == ["stopping", "stopping"])
    isEmpty = false
    server.server.whenEmpty { isEmpty = true }
    #expect(isEmpty)
  }

  @Test func `a publisher that waits for its answer hears that the server stops`() throws {
    let server = try TestServer(answersLater: true)
    let publisher = try TestClient(.publish, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { !server.waiting.isEmpty })
    server.server.forEachConnection { $0.stop("stopping") }
    #expect(server.turns { publisher.end != nil })
    #expect(publisher.refusal?.text == "stopping")
  }

  @Test func `a client that asks for nothing is closed in time`() throws {
    var configuration = IngestConfiguration()
    configuration.commandTimeout = .milliseconds(200)
    let server = try TestServer(configuration)
    let address = try #require(SocketAddress(host: "127.0.0.1", port: server.port))
    let silent = try Socket.connecting(to: address)
    #expect(server.turns { server.server.connectionCount == 1 })
    #expect(server.turns { server.closed == ["asked for nothing"] })
    _ = silent.descriptor
  }

  @Test func `a publisher that waits for its answer can be evicted, and is admitted no more`()
    throws
  {
    let server = try TestServer(answersLater: true)
    let publisher = try TestClient(.publish, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { !server.waiting.isEmpty })
    let connection = try #require(server.waiting.first)
    connection.evict("another encoder has taken over")
    #expect(connection.isEnding)
    var endings: [PublicationEnd] = []
    connection.acceptPublish(
      PublishSink(receive: { _, _ in }, flush: {}, ended: { endings.append($0) }))
    #expect(!connection.isPublishing)
    #expect(endings.count == 1)
    #expect(server.turns { publisher.end != nil })
    #expect(publisher.refusal?.text == "another encoder has taken over")
  }

  @Test(arguments: ["publish", "play"])
  func `a request that is taken back before its answer ends the connection`(what: String) throws {
    let server = try TestServer(answersLater: true)
    server.answersPlayersLater = true
    let client = try TestClient(
      what == "play" ? .play : .publish, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { !server.waiting.isEmpty })
    client.command("closeStream", streamID: 1, [.null])
    client.command(what, streamID: 1, [.null, "w"])
    #expect(server.turns { client.end != nil })
    #expect(server.waiting.count == 1)
    #expect(server.turns { server.closed == ["left before it was admitted"] })
  }

  @Test(arguments: [ClientSession.Purpose.publish, .play])
  func `a client that asks and asks and reads no answer is closed`(purpose: ClientSession.Purpose)
    throws
  {
    var configuration = IngestConfiguration()
    configuration.playerQueueBytes = 1 << 20
    configuration.gopCacheBytes = 1 << 20
    // Under a sanitizer it asks for longer than a publisher may be silent.
    configuration.firstMediaTimeout = .seconds(600)
    configuration.idleTimeout = .seconds(600)
    let server = try TestServer(configuration)
    let client = try TestClient(purpose, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { client.hasStarted })
    client.isStalled = true
    var most = 0
    for _ in 0..<2_000 where client.end == nil && server.closed.isEmpty {
      for _ in 0..<200 { client.command("getStreamLength", transaction: 9, streamID: 1, [.null]) }
      server.loop.turn(maximumWait: .milliseconds(1))
      server.server.forEachConnection { most = max(most, $0.queuedBytes) }
    }
    #expect(server.closed == ["reads no answers"])
    #expect(most < 4 << 20)
  }

  @Test func `an eviction that comes late hits no other stream of the same connection`() throws {
    var configuration = IngestConfiguration()
    configuration.coalesce = .seconds(3_600)
    let server = try TestServer(configuration)
    let publisher = try TestClient(.publish, name: "w", port: server.port, on: server.loop)
    #expect(server.turns { publisher.hasStarted })
    let connection = try #require(server.publishers.first)
    let first = connection.publicationID
    publisher.command("closeStream", streamID: 1, [.null])
    publisher.command("publish", streamID: 1, [.null, "w", "live"])
    #expect(server.turns { publisher.queuedBytes == 0 })
    #expect(connection.publicationID == first)
    connection.evict("another encoder has taken over")
    #expect(connection.publicationID != first)
    #expect(connection.isPublishing)
    #expect(!connection.isEnding)
  }
}
