import Bytes
import RTMP
import Testing

@Suite struct `Chunk writer` {
  /// Messages as a stream sends them, and some it wouldn't.
  static let session: [(id: UInt32, message: Message)] = {
    var random = FixedRandom(seed: 1)
    var messages: [(UInt32, Message)] = []
    var time: UInt32 = 0xff_ff00
    for index in 0..<48 {
      let sizes = [0, 1, 4, 127, 128, 129, 255, 256, 257, 400]
      let size = sizes[Int(random.next() % 10)]
      time &+= UInt32(random.next() % 3) * 20
      if index == 24 { time = 0xffff_ffe0 }
      if index % 17 == 0 { time &-= 15 }
      let isAudio = index % 3 == 0
      messages.append(
        (
          [4, 6, 70, 400][index % 4],
          message(
            isAudio ? .audio : .video, time, pattern(size, seed: index),
            stream: index % 11 == 0 ? 2 : 1)
        ))
    }
    return messages
  }()

  static func written(chunkSize: Int) -> [UInt8] {
    var writer = ChunkWriter()
    var bytes: [UInt8] = []
    writer.setChunkSize(chunkSize, into: &bytes)
    for (id, message) in session {
      writer.write(
        message.type, on: id, streamID: message.streamID, timestamp: message.timestamp,
        payload: message.payload.span, into: &bytes)
    }
    return bytes
  }

  @Test(arguments: [1, 2, 100, 128, 4096, 60_000])
  func `what is written is read back`(chunkSize: Int) throws {
    #expect(try read(Self.written(chunkSize: chunkSize)) == Self.session.map(\.message))
  }

  @Test func `a session split at any byte comes out the same`() throws {
    let bytes = Self.written(chunkSize: 128)
    let expected = Self.session.map(\.message)
    for cut in 0...bytes.count {
      let messages = try read(bytes, cuts: [cut])
      guard messages == expected else {
        Issue.record("a cut at \(cut) of \(bytes.count) changed the messages")
        return
      }
    }
    #expect(try read(bytes, cuts: Array(1..<bytes.count)) == expected)
  }

  @Test func `headers are as short as they can be`() {
    var writer = ChunkWriter()
    func size(_ type: MessageType, _ time: UInt32, _ count: Int, stream: UInt32 = 1) -> Int {
      var bytes: [UInt8] = []
      let payload = pattern(count)
      writer.write(
        type, on: 6, streamID: stream, timestamp: time, payload: payload.span, into: &bytes)
      return bytes.count - count
    }
    #expect(size(.video, 0, 10) == 12)
    #expect(size(.video, 40, 10) == 4)  // length and type stay: a delta
    #expect(size(.video, 80, 10) == 1)  // the delta stays too
    #expect(size(.video, 120, 11) == 8)
    #expect(size(.audio, 160, 11) == 8)
    #expect(size(.audio, 150, 11) == 12)  // a step back
    #expect(size(.audio, 150, 11) == 4)
    #expect(size(.audio, 150, 11, stream: 2) == 12)
  }

  @Test func `no message starts with type 3 right after a type 0`() {
    var writer = ChunkWriter()
    var bytes: [UInt8] = []
    let body: [UInt8] = [1]
    for time: UInt32 in [40, 80] {
      writer.write(.video, on: 6, streamID: 1, timestamp: time, payload: body.span, into: &bytes)
    }
    #expect(bytes[13] >> 6 == 2)
  }

  @Test func `extended timestamps are repeated on every type 3 chunk`() {
    var writer = ChunkWriter()
    var bytes: [UInt8] = []
    let body = pattern(300)
    writer.write(
      .video, on: 6, streamID: 1, timestamp: 0x0100_0203, payload: body.span, into: &bytes)
    #expect(
      bytes
        == Extended.bytes(of: body, at: 0x0100_0203))
  }

  @Test(arguments: [0, 0xff_fffe, 0xff_ffff, 0x0100_0000, UInt32.max] as [UInt32])
  func `a wire image is read as its message and disturbs nothing`(time: UInt32) throws {
    let body = pattern(1000)
    var writer = ChunkWriter()
    var bytes: [UInt8] = []
    writer.setChunkSize(300, into: &bytes)
    let small: [UInt8] = [1, 2]
    var expected: [Message] = []
    for index in 0..<4 {
      let now = UInt32(index) * 40
      writer.write(
        .video, on: ChunkStreamID.video, streamID: 1, timestamp: now, payload: small.span,
        into: &bytes)
      expected.append(message(.video, now, small))
      for type in [MessageType.audio, .video, .data] {
        bytes +=
          WireImage(type: type, timestamp: time, payload: body.span, chunkSize: 300).bytes
        expected.append(message(type, time, body))
      }
    }
    #expect(try read(bytes) == expected)
  }
}

private enum Extended {
  static func bytes(of body: [UInt8], at time: UInt32) -> [UInt8] {
    RawChunk(
      format: 0, id: 6, field: 0xff_ffff, length: body.count, extended: time,
      body: Array(body[..<128])
    ).bytes
      + RawChunk(format: 3, id: 6, extended: time, body: Array(body[128..<256])).bytes
      + RawChunk(format: 3, id: 6, extended: time, body: Array(body[256...])).bytes
  }
}
