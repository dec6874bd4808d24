import Bytes
@testable import RTMP
import Testing

@Suite struct `A client and a server` {
  @Test(arguments: [1, 7, 1000, 65_536])
  func `publish from the handshake to the last frame`(piece: Int) throws {
    let pair = Pair(Pair.publisher(), piece: piece)
    try pair.start()
    #expect(pair.takeClientEvents().last == .started)
    let requests = pair.takeServerEvents()
    guard case .connectRequested(let connect) = requests.first,
      case .publishRequested(let publish) = requests.last
    else {
      Issue.record("the server heard \(requests.count) requests")
      return
    }
    #expect(connect.app == "live" && connect.tcUrl == "rtmp://host/live")
    #expect(publish.name.path == "key" && publish.name["token"] == "t")
    #expect(publish.kind == .live && publish.streamID == 1)

    var expected: [ServerEvent] = []
    pair.client.sendMetadata(["width": 320], into: &pair.toServer)
    var metadata: [UInt8] = []
    metadata.append(amf0: "onMetaData")
    metadata.append(amf0: .ecmaArray(["width": 320]))
    expected.append(.data(message(.data, 0, metadata)))
    for index in 0..<30 {
      let time = UInt32(bitPattern: -100) &+ UInt32(index) * 20  // across the wrap
      let body = pattern(index == 5 ? 200_000 : 100 + index, seed: index)
      let type: MessageType = index % 2 == 0 ? .audio : .video
      pair.client.send(type, timestamp: time, payload: body.span, into: &pair.toServer)
      let sent = message(type, time, body)
      expected.append(type == .audio ? .audio(sent) : .video(sent))
    }
    pair.client.close(into: &pair.toServer)
    expected.append(.streamEnded(streamID: 1, .unpublished))
    try pair.pump()
    #expect(pair.takeServerEvents() == expected)
    #expect(pair.server.strayMessages == 0 && pair.server.heldBytes == 0)
  }

  @Test(arguments: [1, 500, 65_536])
  func `play what the server sends`(piece: Int) throws {
    let pair = Pair(Pair.player(), piece: piece)
    try pair.start()
    #expect(pair.takeClientEvents().last == .started)
    guard case .playRequested(let request)? = pair.takeServerEvents().last else {
      Issue.record("no play request")
      return
    }
    #expect(request.name.path == "key" && request.streamID == 1 && request.start == -2)
    var expected: [ClientEvent] = []
    for index in 0..<20 {
      let time = 0xff_ff00 + UInt32(index) * 20
      let body = pattern(index == 3 ? 150_000 : 50, seed: index)
      if index % 2 == 0 {
        let image = WireImage(
          type: .video, timestamp: time, payload: body.span, chunkSize: pair.server.sendChunkSize)
        pair.toClient += image.bytes
        expected.append(.video(message(.video, time, body)))
      } else {
        pair.server.send(
          .audio, streamID: 1, timestamp: time, payload: body.span, into: &pair.toClient)
        expected.append(.audio(message(.audio, time, body)))
      }
    }
    try pair.pump()
    #expect(pair.takeClientEvents() == expected)
    pair.server.notifyUnpublish(1, into: &pair.toClient)
    try pair.pump()
    guard case .ended(let status)? = pair.takeClientEvents().last else {
      Issue.record("the player was not told")
      return
    }
    #expect(status.code == "NetStream.Play.UnpublishNotify")
  }

  @Test func `a refused publisher hears why and is not listened to`() throws {
    let pair = Pair(Pair.publisher())
    pair.answer = { server, event, output in
      if case .publishRequested(let request) = event {
        server.rejectPublish(request.streamID, .denied, "The token has expired.", into: &output)
      } else {
        Pair.accept(server, event, &output)
      }
    }
    try pair.start()
    guard case .refused(let status)? = pair.takeClientEvents().last else {
      Issue.record("the publisher was not refused")
      return
    }
    #expect(status.code == "NetStream.Publish.Denied" && status.text == "The token has expired.")
    #expect(status.level == .error)
    #expect(!pair.client.isStarted)
    let body: [UInt8] = [1, 2, 3]
    var writer = ChunkWriter()
    writer.write(.audio, on: 40, streamID: 1, payload: body.span, into: &pair.toServer)
    _ = pair.takeServerEvents()
    try pair.pump()
    #expect(pair.takeServerEvents().isEmpty && pair.server.strayMessages == 1)
  }

  @Test func `a refused player and a refused connection hear why`() throws {
    let player = Pair(Pair.player())
    player.answer = { server, event, output in
      if case .playRequested(let request) = event {
        server.rejectPlay(request.streamID, .notFound, "Nobody is live there.", into: &output)
      } else {
        Pair.accept(server, event, &output)
      }
    }
    try player.start()
    var refusal = Status(.error, "NetStream.Play.StreamNotFound", "Nobody is live there.")
    guard case .refused(let status)? = player.takeClientEvents().last else {
      Issue.record("the player was not refused")
      return
    }
    #expect(status.code == refusal.code && status.text == refusal.text)

    let away = Pair(Pair.publisher())
    away.answer = { server, _, output in
      server.rejectConnect("Elsewhere.", redirect: "rtmp://other/live", into: &output)
    }
    try away.start()
    guard case .refused(let answer)? = away.takeClientEvents().last else {
      Issue.record("the connection was not refused")
      return
    }
    refusal = answer
    #expect(refusal.code == "NetConnection.Connect.Rejected")
    #expect(refusal.more["ex"]?.object?["redirect"] == "rtmp://other/live")
  }

  @Test func `a publisher that is stopped hears why`() throws {
    let pair = Pair(Pair.publisher())
    try pair.start()
    pair.server.rejectPublish(1, .badName, "Taken over.", into: &pair.toClient)
    try pair.pump()
    guard case .ended(let status)? = pair.takeClientEvents().last else {
      Issue.record("the publisher was not told")
      return
    }
    #expect(status.code == "NetStream.Publish.BadName" && !pair.client.isStarted)
    #expect(pair.server.role(of: 1) == .idle)
  }

  @Test func `what both know of Enhanced RTMP is agreed on`() throws {
    var configuration = Pair.publisher()
    configuration.enhanced.list = ["hvc1", "Opus", "xxxx"]
    configuration.enhanced.video = [.init("hvc1", .encode), .init("zzzz", .encode)]
    configuration.enhanced.audio = [.init("*", .encode)]
    configuration.enhanced.extensions = [.reconnect, .nanosecondOffset]
    let pair = Pair(configuration)
    try pair.start()
    let agreed = try #require(pair.server.enhanced)
    #expect(agreed.list == ["hvc1", "Opus"])
    #expect(agreed.video.map(\.fourCC) == ["hvc1"])
    #expect(agreed.audio == EnhancedCapabilities.server.audio)
    #expect(agreed.extensions == .reconnect)
    #expect(pair.client.enhanced == agreed)
    #expect(pair.server.connection?.enhanced == configuration.enhanced)

    #expect(pair.server.requestReconnect(to: "rtmp://b/live", "Restart.", into: &pair.toClient))
    try pair.pump()
    #expect(
      pair.takeClientEvents().last
        == .reconnectRequested(tcUrl: "rtmp://b/live", "Restart."))
    #expect(pair.client.isStarted)
  }

  @Test func `a client that never said Reconnect is not asked to`() throws {
    let pair = Pair(Pair.publisher())
    try pair.start()
    #expect(!pair.server.requestReconnect(to: nil, "Restart.", into: &pair.toClient))
    #expect(pair.toClient.isEmpty)
    #expect(pair.server.enhanced?.isEmpty == true)
  }

  @Test func `a relay is told how far viewers have what it publishes`() throws {
    let pair = Pair(Pair.publisher())
    try pair.start()
    _ = pair.takeClientEvents()
    let known = RelayProgress(
      sequence: 9_007_199_254_740_991, discontinuity: 3, end: .max,
      date: StreamDate(time: .max, date: 1_795_939_000_000))
    let unknown = RelayProgress(sequence: 0, discontinuity: 0, end: nil)
    let first = StreamGrant(
      epoch: 9_007_199_254_740_991, turn: StreamGrant.Turn(run: "k3x9", number: .max))
    let told: [(RelayProgress, StreamGrant?)] = [(known, first), (unknown, nil)]
    for (progress, grant) in told {
      pair.server.notifyProgress(progress, under: grant, of: 1, into: &pair.toClient)
      // Of a stream that nobody publishes there is nothing to say.
      pair.server.notifyProgress(progress, of: 2, into: &pair.toClient)
    }
    try pair.pump()
    #expect(pair.takeClientEvents() == [.progressed(known), .progressed(unknown)])
    #expect(pair.client.isStarted)
    // What was said of the lease holds until something else is said.
    #expect(pair.client.grant == first)
    // What is announced last is announced when the end has been heard.
    pair.client.close(into: &pair.toServer)
    try pair.pump()
    #expect(pair.client.isReleased)
    pair.server.notifyProgress(unknown, under: StreamGrant(epoch: 7), of: 1, into: &pair.toClient)
    pair.server.notifyProgress(known, of: 2, into: &pair.toClient)
    try pair.pump()
    #expect(pair.takeClientEvents() == [.progressed(unknown)])
    #expect(pair.client.grant == StreamGrant(epoch: 7))
  }

  @Test func `a client knows how much of what it sent was read, beyond four gigabytes`() throws {
    let pair = Pair(Pair.publisher())
    try pair.start()
    #expect(pair.client.readBytes == 0)
    // The last but one goes back, which is none.
    for read in [3_000, 2_000_000_000, 4_000_000_000, 1_000_000, 999_999, 2_000_000] as [UInt32] {
      pair.server.link.writer.control(.acknowledgement, read, into: &pair.toClient)
    }
    try pair.pump()
    #expect(pair.client.readBytes == 4_294_967_296 + 2_000_000)
  }

  @Test func `an acknowledgement that is cut short is passed over`() throws {
    let pair = Pair(Pair.publisher())
    try pair.start()
    for payload in [[], [0, 0, 9]] as [[UInt8]] {
      pair.server.link.writer.write(
        .acknowledgement, on: 2, streamID: 0, payload: payload.span, into: &pair.toClient)
    }
    pair.server.link.writer.control(.acknowledgement, 4_000, into: &pair.toClient)
    try pair.pump()
    #expect(pair.client.readBytes == 4_000)
  }

  @Test func `a server is pinged sooner where that is asked for`() throws {
    let pair = Pair(Pair.publisher())
    try pair.start()
    var output: [UInt8] = []
    #expect(pair.client.keepAlive(at: 0, pingingAfter: 300, into: &output))
    #expect(pair.client.keepAlive(at: 299, pingingAfter: 300, into: &output) && output.isEmpty)
    #expect(pair.client.keepAlive(at: 300, pingingAfter: 300, into: &output) && !output.isEmpty)
  }

  @Test(arguments: [-1, 0.5, .nan, .infinity, 1e300, 9_007_199_254_740_992])
  func `numbers that are none are no progress`(number: Double) {
    var status = RelayProgress(sequence: 1, discontinuity: 1, end: 1).status(nil)
    #expect(RelayProgress(status) == RelayProgress(sequence: 1, discontinuity: 1, end: 1))
    status.more = ["sequence": .number(number), "discontinuity": 1]
    #expect(RelayProgress(status) == nil)
    status.more = ["sequence": 1, "discontinuity": .number(number)]
    #expect(RelayProgress(status) == nil)
    status.more = ["sequence": 1, "discontinuity": 1, "end": .number(number)]
    #expect(RelayProgress(status) == RelayProgress(sequence: 1, discontinuity: 1, end: nil))
    for name in ["time", "date"] {
      status.more = ["sequence": 1, "discontinuity": 1, "time": 1, "date": 1]
      #expect(RelayProgress(status)?.date == StreamDate(time: 1, date: 1))
      status.more = ["sequence": 1, "discontinuity": 1]
      for other in ["time", "date"] {
        status.more.append(other, .number(other == name ? number : 1))
      }
      #expect(RelayProgress(status) == RelayProgress(sequence: 1, discontinuity: 1, end: nil))
    }
    status.more = ["sequence": .number(number), "discontinuity": 1, "time": 1, "date": 1]
    #expect(RelayProgress(status) == nil)
  }

  @Test func `every 2,500,000 bytes are acknowledged without being asked`() throws {
    let bench = try Bench.connected()
    let body = pattern(100_000)
    // A window of 5,000,000: more seldom than we do it anyway.
    _ = try bench.send(message(.windowAcknowledgementSize, 0, [0, 0x4c, 0x4b, 0x40], stream: 0))
    var acknowledged: [UInt32] = []
    for _ in 0..<80 {
      _ = try bench.send(message(.audio, 0, body, stream: 5))
      for message in bench.messages() where message.type == .acknowledgement {
        acknowledged.append(message.payload.reduce(0) { $0 << 8 | UInt32($1) })
      }
    }
    #expect(acknowledged.count == 3)
    #expect(acknowledged.allSatisfy { $0 > 2_500_000 - 100_100 })
    #expect(zip(acknowledged, acknowledged.dropFirst()).allSatisfy { $1 - $0 >= 2_500_000 })
  }

  @Test func `a smaller window is honoured, at most once per piece`() throws {
    let bench = try Bench.connected()
    _ = try bench.send(message(.windowAcknowledgementSize, 0, [0, 0, 0x10, 0], stream: 0))
    _ = bench.messages()
    var count = 0
    for _ in 0..<10 {
      _ = try bench.send(message(.audio, 0, pattern(2500), stream: 5))
      count += bench.messages().count { $0.type == .acknowledgement }
    }
    #expect(count == 5)
    _ = try bench.send(message(.windowAcknowledgementSize, 0, [0, 0, 0, 1], stream: 0))
    _ = bench.messages()
    var many: [UInt8] = []
    for _ in 0..<100 {
      bench.writer.write(.audio, on: 3, streamID: 5, payload: [1].span, into: &many)
    }
    _ = try bench.receive(many)
    #expect(bench.messages().count { $0.type == .acknowledgement } == 1)
    // A window of 0 means nothing.
    _ = try bench.send(message(.windowAcknowledgementSize, 0, [0, 0, 0, 0], stream: 0))
  }

  @Test func `a bandwidth is answered with a window, once`() throws {
    let bench = try Bench.connected()
    for expected in [1, 0] {
      _ = try bench.send(message(.setPeerBandwidth, 0, [0, 0x26, 0x25, 0xa0, 2], stream: 0))
      let windows = bench.messages().filter { $0.type == .windowAcknowledgementSize }
      #expect(windows.count == expected)
      if let window = windows.first { #expect(window.payload == [0, 0x26, 0x25, 0xa0]) }
    }
  }

  @Test func `pings are answered, both ways`() throws {
    let bench = try Bench.connected()
    _ = try bench.send(message(.userControl, 0, [0, 6, 1, 2, 3, 4], stream: 0))
    #expect(bench.messages().map(\.payload) == [[0, 7, 1, 2, 3, 4]])
    let pair = Pair(Pair.player())
    try pair.start()
    _ = pair.server.keepAlive(at: 0, into: &pair.toClient)
    let before = pair.server.receivedBytes
    #expect(pair.server.keepAlive(at: 15_000, into: &pair.toClient))
    try pair.pump()
    #expect(pair.server.receivedBytes > before)
  }

  @Test func `a silent peer is pinged once and then given up`() throws {
    let bench = try Bench.connected()
    let server = bench.server
    #expect(server.keepAlive(at: 100_000, into: &bench.output))
    #expect(server.keepAlive(at: 114_999, into: &bench.output) && bench.output.isEmpty)
    #expect(server.keepAlive(at: 115_000, into: &bench.output))
    #expect(server.keepAlive(at: 120_000, into: &bench.output))
    #expect(bench.messages().map { $0.payload.prefix(2) } == [[0, 6]])
    // Any byte is a sign of life.
    _ = try bench.send(message(.audio, 0, [1]))
    #expect(server.keepAlive(at: 144_999, into: &bench.output))
    #expect(server.keepAlive(at: 160_000, into: &bench.output))
    #expect(bench.messages().count == 1)
    #expect(server.keepAlive(at: 189_998, into: &bench.output))
    #expect(!server.keepAlive(at: 189_999, into: &bench.output))
    // A clock that steps back is no reason to end anything.
    #expect(server.keepAlive(at: 5, into: &bench.output))
  }

  @Test func `a header with its payload sent behind it is the message sent whole`() throws {
    let payload = [UInt8](repeating: 7, count: 60_000)
    var whole = ClientSession.Configuration(
      .publish, tcUrl: "rtmp://h/live", app: "live", streamName: "w")
    whole.limits.sendChunkSizeBytes = 60_000
    let pairs = [Pair(whole), Pair(whole)]
    for pair in pairs { try pair.start() }
    for time in [0, 40, 80, 0xff_ffff, 5, 0xffff_ffff] as [UInt32] {
      var one: [UInt8] = []
      pairs[0].client.send(.video, timestamp: time, payload: payload.span, into: &one)
      var other: [UInt8] = []
      let fits = pairs[1].client.sendHeader(
        .video, timestamp: time, payloadBytes: payload.count, into: &other)
      #expect(fits)
      #expect(one == other + payload)
    }
    var output: [UInt8] = []
    let fits = pairs[0].client.sendHeader(
      .video, timestamp: 0, payloadBytes: 60_001, into: &output)
    #expect(!fits)
    #expect(output.isEmpty)
  }
}
