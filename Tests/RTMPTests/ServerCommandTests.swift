import Bytes
import RTMP
import Testing

@Suite struct `Server commands` {
  static func publish(_ name: String = "key") -> Command {
    Command("publish", 5, [.null, .string(name), "live"])
  }

  @Test func `releaseStream, FCPublish and _checkbw are answered in any order`() throws {
    let bench = try Bench.connected()
    for (index, name) in ["_checkbw", "FCPublish", "releaseStream", "getStreamLength"].enumerated()
    {
      let transaction = Double(10 + index)
      _ = try bench.send(Command(name, transaction, [.null, "key"]))
      let answer = bench.answers()
      #expect(answer.map(\.name) == ["_result"])
      #expect(answer.first?.transaction == transaction)
    }
  }

  @Test func `none of them is required`() throws {
    let bench = try Bench.connected()
    _ = try bench.send(Command("createStream", 2))
    #expect(bench.answers().first?.arguments == [.null, 1])
    #expect(try bench.send(Self.publish(), stream: 1).count == 1)
    #expect(bench.codes() == ["NetStream.Publish.Start"])
    #expect(
      try bench.send(message(.video, 40, [0x17, 1])) == [.video(message(.video, 40, [0x17, 1]))])
  }

  @Test func `FCPublish may come after createStream, and is told of the start`() throws {
    let bench = try Bench.connected()
    _ = try bench.send(Command("createStream", 2))
    _ = try bench.send(Command("FCPublish", 3, [.null, "key"]))
    _ = bench.answers()
    _ = try bench.send(Self.publish(), stream: 1)
    #expect(bench.answers().map(\.name) == ["onFCPublish", "onStatus"])
  }

  @Test func `control messages and chunk sizes may come before connect`() throws {
    let bench = try Bench()
    var bytes: [UInt8] = []
    bench.writer.setChunkSize(4096, into: &bytes)
    bench.writer.control(.windowAcknowledgementSize, 2_500_000, into: &bytes)
    bench.writer.userControl(UserControl.pingRequest, 7, into: &bytes)
    _ = try bench.receive(bytes)
    let long = String(repeating: "x", count: 3000)
    let events = try bench.send(Command("connect", 1, [.object(["app": .string(long)])]))
    guard case .connectRequested(let request)? = events.first else {
      Issue.record("connect was not heard")
      return
    }
    #expect(request.app == long)
    #expect(bench.codes() == ["NetConnection.Connect.Success"])
  }

  @Test func `connect is answered with what clients need to go on`() throws {
    let bench = try Bench()
    _ = try bench.send(
      Command("connect", 1, [.object(["app": "live", "objectEncoding": 3])]))
    let messages = bench.messages()
    #expect(
      messages.map(\.type) == [.windowAcknowledgementSize, .setPeerBandwidth, .command])
    #expect(bench.server.sendChunkSize == 60_000)
    let payload = messages[2].payload
    let answer = try Command(payload.span, type: .command)
    #expect(answer.name == "_result" && answer.transaction == 1)
    #expect(Status(answer.arguments)?.more["objectEncoding"] == 3)
    // A second connect is refused and changes nothing.
    #expect(try bench.send(Command("connect", 9, [.object(["app": "b"])])).isEmpty)
    #expect(bench.answers().map(\.name) == ["_error"])
    #expect(bench.server.connection?.app == "live")
  }

  @Test(arguments: ["createStream", "publish", "play"])
  func `a stream before connect ends the session`(name: String) throws {
    let bench = try Bench()
    let error = #expect(throws: ProtocolError.self) {
      try bench.send(Command(name, 2, [.null, "key"]))
    }
    #expect(error?.code == .order)
    // And it says the same again.
    let again = #expect(throws: ProtocolError.self) { try bench.receive([]) }
    #expect(again == error)
  }

  @Test func `AMF3 commands and data are understood`() throws {
    let bench = try Bench.connected()
    _ = try bench.send(
      message(.commandAMF3, 0, [0] + Command("createStream", 2).payload, stream: 0))
    #expect(bench.answers().first?.name == "_result")
    _ = try bench.send(message(.commandAMF3, 0, [0] + Self.publish().payload))
    #expect(bench.codes() == ["NetStream.Publish.Start"])
    var data: [UInt8] = [0]
    data.append(amf0: "@setDataFrame")
    data.append(amf0: "onMetaData")
    data += [0x11]
    data.append(amf3: .object(["width": 5]))
    guard case .data(let heard)? = try bench.send(message(.dataAMF3, 3, data)).first else {
      Issue.record("no metadata")
      return
    }
    #expect(heard.type == .data && heard.timestamp == 3)
    #expect(
      AMFValue.values(of: heard.payload.span, type: heard.type).values
        == ["onMetaData", .object(["width": 5])])
  }

  @Test func `data without @setDataFrame and unknown data come as they are`() throws {
    let bench = try Bench.connected()
    _ = try bench.send(Self.publish(), stream: 1)
    for name in ["onMetaData", "onTextData", "onFI"] {
      var data: [UInt8] = []
      data.append(amf0: .string(name))
      #expect(try bench.send(message(.data, 3, data)) == [.data(message(.data, 3, data))])
    }
    var empty: [UInt8] = []
    empty.append(amf0: "@setDataFrame")
    #expect(try bench.send(message(.data, 3, empty)).isEmpty)
    #expect(try bench.send(message(.data, 3, [])).isEmpty)
  }

  @Test func `unknown commands are refused if an answer is expected`() throws {
    let bench = try Bench.connected()
    _ = try bench.send(Command("whatever", 44))
    let answers = bench.answers()
    #expect(answers.map(\.name) == ["_error"] && answers.first?.transaction == 44)
    _ = try bench.send(Command("whatever", 0))
    #expect(bench.answers().isEmpty)
  }

  @Test func `FCSubscribe, seek and pause are met politely`() throws {
    let bench = try Bench.connected()
    _ = try bench.send(Command("FCSubscribe", 4, [.null, "key"]))
    #expect(bench.answers().map(\.name) == ["_result", "onFCSubscribe"])
    _ = try bench.send(Command("play", 5, [.null, "key", -1, -1, true]), stream: 1)
    #expect(bench.codes() == ["NetStream.Play.Reset", "NetStream.Play.Start"])
    #expect(try bench.send(Command("seek", 0, [.null, 5000]), stream: 1).isEmpty)
    #expect(bench.codes() == ["NetStream.Seek.Notify"])
    #expect(
      try bench.send(Command("pause", 0, [.null, true, 1234]), stream: 1)
        == [.paused(streamID: 1, isPaused: true, position: 1234)])
    #expect(bench.codes() == ["NetStream.Pause.Notify"])
    #expect(
      try bench.send(Command("pause", 0, [.null, false, 1234]), stream: 1)
        == [.paused(streamID: 1, isPaused: false, position: 1234)])
    #expect(bench.codes() == ["NetStream.Unpause.Notify"])
    #expect(try bench.send(Command("pause", 0, [.null, true]), stream: 9).isEmpty)
  }

  @Test func `play2 names its stream in an object`() throws {
    let bench = try Bench.connected()
    guard
      case .playRequested(let request)? = try bench.send(
        Command("play2", 5, [.null, .object(["streamName": "a?b=c"])]), stream: 1
      ).first
    else {
      Issue.record("play2 was not heard")
      return
    }
    #expect(request.name.path == "a" && request.name["b"] == "c")
  }

  @Test func `a stream ends by FCUnpublish, closeStream, deleteStream or another publish`() throws {
    let bench = try Bench.connected()
    func ended(_ command: Command, stream: UInt32 = 1) throws -> EndReason? {
      _ = try bench.send(Self.publish(), stream: 1)
      for event in try bench.send(command, stream: stream) {
        if case .streamEnded(1, let reason) = event { return reason }
      }
      return nil
    }
    #expect(try ended(Command("FCUnpublish", 6, [.null, "key"]), stream: 0) == .unpublished)
    #expect(try ended(Command("FCUnpublish", 6, [.null, "other"]), stream: 0) == .unpublished)
    #expect(try ended(Command("closeStream", 0)) == .closed)
    #expect(try ended(Command("deleteStream", 7, [.null, 1]), stream: 0) == .deleted)
    #expect(try ended(Command("deleteStream", 7)) == .deleted)
    #expect(try ended(Self.publish("second")) == .replaced)
    // An end is told once.
    #expect(try bench.send(Command("deleteStream", 7, [.null, 1])).count == 1)
    #expect(try bench.send(Command("deleteStream", 7, [.null, 1])).isEmpty)
    #expect(try bench.send(Command("closeStream", 0), stream: 1).isEmpty)
  }

  @Test func `FCUnpublish ends the stream it names`() throws {
    let bench = try Bench.connected()
    _ = try bench.send(Self.publish("a"), stream: 1)
    _ = try bench.send(Self.publish("b"), stream: 2)
    #expect(
      try bench.send(Command("FCUnpublish", 6, [.null, "b"]))
        == [.streamEnded(streamID: 2, .unpublished)])
    #expect(bench.server.role(of: 1) == .publishing)
  }

  @Test func `media with a stream id that was never given out belongs to the only stream`() throws {
    let bench = try Bench.connected()
    _ = try bench.send(Self.publish("a"), stream: 1)
    #expect(
      try bench.send(message(.audio, 1, [1], stream: 77)) == [.audio(message(.audio, 1, [1]))])
    _ = try bench.send(Self.publish("b"), stream: 2)
    _ = try bench.send(Self.publish("c"), stream: 3)
    #expect(try bench.send(message(.audio, 1, [1], stream: 77)).isEmpty)
    #expect(
      try bench.send(message(.audio, 1, [1], stream: 2))
        == [.audio(message(.audio, 1, [1], stream: 2))])
  }

  @Test func `media of a refused stream doesn't reach another`() throws {
    let bench = try Bench.connected()
    _ = try bench.send(Self.publish("a"), stream: 1)
    _ = try bench.send(Self.publish("b"), stream: 2)
    bench.server.rejectPublish(2, .denied, "No.", into: &bench.output)
    #expect(try bench.send(message(.audio, 1, [1], stream: 2)).isEmpty)
    #expect(bench.server.strayMessages == 1)
  }

  @Test func `an aggregate of endless tags is refused`() throws {
    let bench = try Bench.connected()
    _ = try bench.send(Command("createStream", 2))
    _ = try bench.send(Self.publish(), stream: 1)
    var tag: [UInt8] = [9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    tag += [0, 0, 0, 11]
    let many = [UInt8]((0..<4_096).flatMap { _ in tag })
    #expect(try bench.send(message(.aggregate, 500, many)).count == 4_096)
    let error = #expect(throws: ProtocolError.self) {
      try bench.send(message(.aggregate, 500, many + tag))
    }
    #expect(error?.code == .aggregate)
  }

  @Test func `whoever doesn't publish makes us hold little`() throws {
    func begun(_ bench: Bench) -> [UInt8] {
      // A data message of 1 MiB of which half comes.
      var bytes: [UInt8] = [0x05, 0, 0, 0, 0x10, 0, 0, 18, 1, 0, 0, 0]
      for index in 0..<4_096 {
        if index > 0 { bytes.append(0xC5) }
        bytes += [UInt8](repeating: 1, count: 128)
      }
      return bytes
    }
    let stranger = try Bench.connected()
    let error = #expect(throws: ProtocolError.self) { try stranger.receive(begun(stranger)) }
    #expect(error?.code == .memory)
    let publisher = try Bench.connected()
    _ = try publisher.send(Command("createStream", 2))
    _ = try publisher.send(Self.publish(), stream: 1)
    _ = try publisher.receive(begun(publisher))
    #expect(publisher.server.heldBytes >= 4_096 * 128)
  }

  @Test func `aggregates are split and their times moved`() throws {
    let bench = try Bench.connected()
    _ = try bench.send(Self.publish(), stream: 1)
    var body: [UInt8] = []
    func tag(_ type: MessageType, _ time: UInt32, _ payload: [UInt8], isLast: Bool = false) {
      body.append(type.rawValue)
      body.append(u24: UInt32(payload.count))
      body.append(u24: time & 0xff_ffff)
      body.append(UInt8(time >> 24))
      body += [0, 0, 0] + payload
      if !isLast { body.append(u32: UInt32(payload.count) + 11) }
    }
    tag(.audio, 0x0100_0000, [1])
    tag(.video, 0x0100_0014, [2, 2])
    tag(MessageType(rawValue: 99), 0, [9])
    tag(.data, 0x0100_0028, [2, 0, 1, 0x61], isLast: true)
    let events = try bench.send(message(.aggregate, 500, body))
    #expect(
      events == [
        .audio(message(.audio, 500, [1])), .video(message(.video, 520, [2, 2])),
        .data(message(.data, 540, [2, 0, 1, 0x61])),
      ])
    for cut in 1..<body.count {
      // Cut between tags it is whole; cut inside one it is refused. It never traps.
      var aggregate = Aggregate(message(.aggregate, 500, Array(body[..<cut])))
      while let part = try? aggregate.next() { #expect(part.streamID == 1) }
    }
    let error = #expect(throws: ProtocolError.self) {
      try bench.send(message(.aggregate, 500, Array(body.dropLast())))
    }
    #expect(error?.code == .aggregate)
  }

  @Test func `streams and commands are bounded`() throws {
    var limits = Limits()
    limits.streams = 3
    let bench = try Bench.connected(limits: limits)
    for _ in 0..<3 { _ = try bench.send(Command("createStream", 2)) }
    #expect(bench.answers().allSatisfy { $0.name == "_result" })
    _ = try bench.send(Command("createStream", 2))
    #expect(bench.answers().map(\.name) == ["_error"])
    _ = try bench.send(Command("deleteStream", 3, [.null, 2]))
    _ = try bench.send(Command("createStream", 2))
    #expect(bench.answers().last?.arguments == [.null, 2])
    let many = #expect(throws: ProtocolError.self) {
      try bench.send(Self.publish(), stream: 50)
    }
    #expect(many?.code == .streams)
    let long = try Bench.connected()
    let error = #expect(throws: ProtocolError.self) {
      try long.send(Command("x", 1, [.string(String(repeating: "y", count: 70_000))]))
    }
    #expect(error?.code == .messageSize)
  }

  @Test(arguments: ["publish", "play"]) func `a stream without a name ends the session`(
    name: String
  ) throws {
    for arguments: [AMFValue] in [[], [.null], [.null, 5], [.null, .object([:])]] {
      let bench = try Bench.connected()
      let error = #expect(throws: ProtocolError.self) {
        try bench.send(Command(name, 1, arguments), stream: 1)
      }
      #expect(error?.code == .command)
    }
  }

  @Test func `answers that fit no request do nothing`() throws {
    let bench = try Bench.connected()
    let server = bench.server
    server.acceptConnect(into: &bench.output)
    server.rejectConnect("No.", into: &bench.output)
    server.acceptPublish(1, into: &bench.output)
    server.acceptPlay(1, into: &bench.output)
    server.rejectPublish(1, .denied, "No.", into: &bench.output)
    server.rejectPlay(1, .failed, "No.", into: &bench.output)
    server.notifyUnpublish(1, into: &bench.output)
    server.notifyPublish(1, into: &bench.output)
    #expect(bench.output.isEmpty)
  }

  @Test func `who may not publish yet holds little of the node's memory`() throws {
    var limits = Limits()
    limits.unadmittedBytes = 200_000
    // A message that is never finished, of a client that has no token yet.
    var bytes = `Chunk limits`.setChunkSize(1 << 20)
    bytes += RawChunk(format: 0, id: 6, length: 1_000_000, body: pattern(300_000)).bytes
    let stranger = try Bench.connected(limits: limits)
    let error = #expect(throws: ProtocolError.self) { try stranger.receive(bytes) }
    #expect(error?.code == .memory)
    let publisher = try Bench.connected(limits: limits)
    _ = try publisher.send(Command("createStream", 2, [.null]))
    _ = try publisher.send(Command("publish", 3, [.null, "key", "live"]), stream: 1)
    #expect(try publisher.receive(bytes).isEmpty)
    #expect(publisher.server.heldBytes >= 300_000)
  }
}
