import Bytes
import RTMP
import Testing

@Suite struct `Chunk reader` {
  @Test func `the four header types give the timestamps they say`() throws {
    let body = pattern(5)
    let bytes =
      RawChunk(format: 0, field: 20_000, length: 5, body: body).bytes
      + RawChunk(format: 1, field: 20, length: 5, type: .audio, body: body).bytes
      + RawChunk(format: 2, field: 33, body: body).bytes
      + RawChunk(format: 3, body: body).bytes
    let messages = try read(bytes)
    #expect(messages.map(\.timestamp) == [20_000, 20_020, 20_053, 20_086])
    #expect(messages.map(\.type) == [.video, .audio, .audio, .audio])
    #expect(messages.allSatisfy { $0.payload == body && $0.streamID == 1 })
  }

  @Test(arguments: [2, 3, 63, 64, 65, 319, 320, 65_599] as [UInt32])
  func `every form of chunk stream id is read`(id: UInt32) throws {
    let bytes =
      RawChunk(format: 0, id: id, field: 7, length: 3, body: [1, 2, 3]).bytes
      + RawChunk(format: 3, id: id, body: [4, 5, 6]).bytes
    #expect(try read(bytes) == [message(.video, 7, [1, 2, 3]), message(.video, 14, [4, 5, 6])])
  }

  @Test func `a chunk stream id means the same in its long form`() throws {
    var long = RawChunk(format: 3, id: 320, body: [2]).bytes
    long[1] = 0  // 64 in three bytes
    long[2] = 0
    let bytes = RawChunk(format: 0, id: 64, field: 9, length: 1, body: [1]).bytes + long
    #expect(try read(bytes).map(\.timestamp) == [9, 18])
  }

  @Test func `messages of two chunk streams interleave chunk by chunk`() throws {
    let video = pattern(300)
    let audio = pattern(200, seed: 1)
    let bytes =
      RawChunk(format: 0, id: 6, field: 40, length: 300, body: Array(video[..<128])).bytes
      + RawChunk(
        format: 0, id: 4, field: 41, length: 200, type: .audio, body: Array(audio[..<128])
      ).bytes
      + RawChunk(format: 3, id: 6, body: Array(video[128..<256])).bytes
      + RawChunk(format: 3, id: 4, body: Array(audio[128...])).bytes
      + RawChunk(format: 3, id: 6, body: Array(video[256...])).bytes
    #expect(try read(bytes) == [message(.audio, 41, audio), message(.video, 40, video)])
  }

  @Test func `an empty message is a message`() throws {
    let bytes =
      RawChunk(format: 0, field: 10, length: 0, type: .audio).bytes
      + RawChunk(format: 3).bytes
    #expect(try read(bytes).map(\.payload) == [[], []])
  }

  @Test func `a type 3 chunk that starts a message repeats the last delta`() throws {
    let bytes =
      RawChunk(format: 0, field: 60_000, length: 1, body: [1]).bytes
      + RawChunk(format: 2, field: 23, body: [2]).bytes
      + RawChunk(format: 3, body: [3]).bytes + RawChunk(format: 3, body: [4]).bytes
    #expect(try read(bytes).map(\.timestamp) == [60_000, 60_023, 60_046, 60_069])
  }

  @Test func `after a type 0 the timestamp is repeated as delta only at a stream's start`() throws {
    func twice(_ field: UInt32) throws -> [UInt32] {
      try read(
        RawChunk(format: 0, field: field, length: 1, body: [1]).bytes
          + RawChunk(format: 3, body: [2]).bytes
      ).map(\.timestamp)
    }
    #expect(try twice(40) == [40, 80])
    #expect(try twice(3_600_000) == [3_600_000, 3_600_000])
  }

  @Test func `a fresh chunk stream may open with type 1`() throws {
    let bytes = RawChunk(
      format: 1, id: 2, field: 5, length: 6, type: .userControl, body: [0, 6, 0, 0, 0, 1]
    ).bytes
    #expect(try read(bytes) == [message(.userControl, 5, [0, 6, 0, 0, 0, 1], stream: 0)])
  }

  @Test(arguments: [2, 3] as [UInt8])
  func `a fresh chunk stream can't open with a header that needs another`(format: UInt8) {
    #expect(throws: ProtocolError.self) {
      try read(RawChunk(format: format, body: [1, 2, 3]).bytes)
    }
  }

  @Test func `deltas that step back wrap around`() throws {
    let bytes =
      RawChunk(format: 0, field: 1000, length: 1, body: [1]).bytes
      + RawChunk(
        format: 1, field: 0xff_ffff, length: 1, extended: UInt32(bitPattern: -15), body: [2]
      ).bytes
      + RawChunk(format: 2, field: 40, body: [3]).bytes
    #expect(try read(bytes).map(\.timestamp) == [1000, 985, 1025])
  }

  @Test func `timestamps pass the 32-bit wrap`() throws {
    let bytes =
      RawChunk(format: 0, field: 0xff_ffff, length: 1, extended: 0xffff_fff0, body: [1]).bytes
      + RawChunk(format: 2, field: 32, body: [2]).bytes + RawChunk(format: 3, body: [3]).bytes
    #expect(try read(bytes).map(\.timestamp) == [0xffff_fff0, 16, 48])
  }

  @Test func `a new header in the middle of a message gives the old one up`() throws {
    let bytes =
      RawChunk(format: 0, field: 1, length: 200, body: pattern(128)).bytes
      + RawChunk(format: 0, field: 2, length: 3, body: [1, 2, 3]).bytes
    var reader = ChunkReader()
    #expect(try read(bytes, with: &reader) == [message(.video, 2, [1, 2, 3])])
    #expect(reader.heldBytes == 0)
  }

  @Test func `abort drops the unfinished message and keeps the chunk stream`() throws {
    let abort = RawChunk(
      format: 0, id: 2, length: 4, type: .abort, stream: 0, body: [0, 0, 0, 4]
    ).bytes
    let bytes =
      RawChunk(format: 0, field: 1, length: 200, body: pattern(128)).bytes + abort
      + RawChunk(format: 1, field: 4, length: 2, body: [8, 9]).bytes
    var reader = ChunkReader()
    #expect(try read(bytes, with: &reader) == [message(.video, 5, [8, 9])])
    #expect(reader.heldBytes == 0)
  }

  @Test func `a new chunk size holds from the next chunk on`() throws {
    let body = pattern(500)
    let size = RawChunk(
      format: 0, id: 2, length: 4, type: .setChunkSize, stream: 0, body: [0, 0, 1, 0]
    ).bytes
    let bytes =
      RawChunk(format: 0, length: 500, body: Array(body[..<128])).bytes + size
      + RawChunk(format: 3, body: Array(body[128..<384])).bytes
      + RawChunk(format: 3, body: Array(body[384...])).bytes
    #expect(try read(bytes) == [message(.video, 0, body)])
  }
}

@Suite struct `Extended timestamps` {
  static let late: UInt32 = 0x0100_0203

  /// A message of 300 bytes in three chunks, with or without the timestamp on type 3 chunks.
  static func chunks(_ body: [UInt8], extended: UInt32, repeated: UInt32?, format: UInt8 = 0)
    -> [UInt8]
  {
    RawChunk(
      format: format, field: 0xff_ffff, length: body.count, extended: extended,
      body: Array(body[..<128])
    ).bytes
      + RawChunk(format: 3, extended: repeated, body: Array(body[128..<256])).bytes
      + RawChunk(format: 3, extended: repeated, body: Array(body[256...])).bytes
  }

  @Test func `they are taken where ffmpeg repeats them on type 3 chunks`() throws {
    let body = pattern(300)
    let bytes = Self.chunks(body, extended: Self.late, repeated: Self.late)
    #expect(try read(bytes) == [message(.video, Self.late, body)])
  }

  @Test func `they are not missed where librtmp leaves them out`() throws {
    let body = pattern(300)
    let bytes = Self.chunks(body, extended: Self.late, repeated: nil)
    #expect(try read(bytes) == [message(.video, Self.late, body)])
  }

  /// The payload starts like the timestamp, as far as it goes: every cut is a trap.
  @Test(arguments: [1, 2, 3]) func `a payload that starts like one is payload`(
    alike: Int
  ) throws {
    var body = pattern(300)
    let start: [UInt8] = [1, 0, 2, 3]
    for index in 0..<alike { body[128 + index] = start[index] }
    body[128 + alike] = 0xee
    // A last chunk shorter than a timestamp, and another message after it.
    body = Array(body[..<257])
    body[256] = 1
    let next = message(.video, 5, [7])
    let bytes =
      Self.chunks(body, extended: Self.late, repeated: nil)
      + RawChunk(format: 0, field: 5, length: 1, body: [7]).bytes
    for cut in 0...bytes.count {
      #expect(try read(bytes, cuts: [cut]) == [message(.video, Self.late, body), next])
    }
    #expect(
      try read(bytes, cuts: Array(1..<bytes.count)) == [message(.video, Self.late, body), next])
  }

  @Test func `a message that ends within four bytes is not held back`() throws {
    let body = pattern(129)
    let bytes =
      RawChunk(
        format: 0, field: 0xff_ffff, length: 129, extended: Self.late, body: Array(body[..<128])
      ).bytes + RawChunk(format: 3, body: [body[128]]).bytes
    #expect(try read(bytes).count == 1)
  }

  @Test(arguments: [1, 2] as [UInt8])
  func `on types 1 and 2 they are a delta`(format: UInt8) throws {
    let first = RawChunk(format: 0, field: 1000, length: 1, body: [0]).bytes
    let bytes =
      first
      + RawChunk(
        format: format, field: 0xff_ffff, length: 1, extended: 0x0100_0000, body: [1]
      ).bytes
    #expect(try read(bytes).map(\.timestamp) == [1000, 1000 + 0x0100_0000])
  }

  @Test func `type 3 chunks may repeat the timestamp where the header had a delta`() throws {
    let body = pattern(300)
    let time: UInt32 = 0x0200_0000
    let bytes =
      RawChunk(format: 0, field: 0xff_ffff, length: 1, extended: 0x0100_0000, body: [1]).bytes
      + Self.chunks(body, extended: 0x0100_0000, repeated: time, format: 1)
    for cut in 0...bytes.count {
      #expect(
        try read(bytes, cuts: [cut]) == [
          message(.video, 0x0100_0000, [1]), message(.video, time, body),
        ])
    }
  }

  @Test(arguments: [true, false])
  func `a type 3 chunk that starts a message repeats an extended delta`(isWritten: Bool) throws {
    let delta: UInt32 = 0x0100_0000
    let bytes =
      RawChunk(format: 0, field: 1000, length: 2, body: [9, 9]).bytes
      + RawChunk(format: 2, field: 0xff_ffff, extended: delta, body: [8, 8]).bytes
      + RawChunk(format: 3, extended: isWritten ? delta : nil, body: [7, 7]).bytes
    #expect(
      try read(bytes) == [
        message(.video, 1000, [9, 9]), message(.video, 1000 + delta, [8, 8]),
        message(.video, 1000 + 2 * delta, [7, 7]),
      ])
  }

  /// FMLE's stream after 4 h 39 min: absolute headers, then deltas, across the 24-bit border.
  @Test func `a stream goes on across 0xFFFFFF milliseconds`() throws {
    var writer = ChunkWriter()
    var bytes: [UInt8] = []
    var sent: [Message] = []
    for index in 0..<40 {
      let time = 0xff_ffff - 400 + UInt32(index) * 20
      let body = pattern(200 + index % 3 * 100, seed: index)
      sent.append(message(.video, time, body))
      writer.write(
        .video, on: 6, streamID: 1, timestamp: time, payload: body.span, into: &bytes)
      // An absolute header now and then, as after a seek.
      if index % 7 == 0 { writer = ChunkWriter() }
    }
    #expect(try read(bytes) == sent)
  }
}
