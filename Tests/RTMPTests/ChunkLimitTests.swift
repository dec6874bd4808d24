import Bytes
import RTMP
import Testing

@Suite struct `Chunk limits` {
  static func setChunkSize(_ size: UInt32) -> [UInt8] {
    var body: [UInt8] = []
    body.append(u32: size)
    return RawChunk(format: 0, id: 2, length: 4, type: .setChunkSize, stream: 0, body: body)
      .bytes
  }

  @Test(arguments: [0, 16 << 20 + 1, 0x8000_0000, UInt32.max] as [UInt32])
  func `chunk sizes of 0 and above 16 MiB are refused`(size: UInt32) {
    let error = #expect(throws: ProtocolError.self) { try read(Self.setChunkSize(size)) }
    #expect(error?.code == .chunkSize)
    #expect(error?.fault == .peer)
  }

  @Test(arguments: [1, 128, 65_536, 16 << 20] as [UInt32])
  func `chunk sizes of 1 to 16 MiB are taken`(size: UInt32) throws {
    var reader = ChunkReader()
    _ = try read(Self.setChunkSize(size), with: &reader)
    #expect(reader.chunkSize == Int(size))
  }

  @Test(arguments: [MessageType.setChunkSize, .abort])
  func `a control message that is cut short is refused`(type: MessageType) {
    let bytes = RawChunk(format: 0, id: 2, length: 3, type: type, body: [0, 0, 1]).bytes
    let error = #expect(throws: ProtocolError.self) { try read(bytes) }
    #expect(error?.code == .control)
  }

  @Test func `a message above the limit is refused at its header`() throws {
    var limits = Limits()
    limits.messageBytes = 1000
    let fits = RawChunk(format: 0, length: 1000).bytes
    let above = RawChunk(format: 0, length: 1001).bytes
    #expect(try read(fits, limits: limits).isEmpty)
    let error = #expect(throws: ProtocolError.self) { try read(above, limits: limits) }
    #expect(error?.code == .messageSize)
  }

  @Test func `only so many chunk streams may open`() throws {
    var limits = Limits()
    limits.chunkStreams = 10
    var bytes: [UInt8] = []
    for id in 3..<13 { bytes += RawChunk(format: 0, id: UInt32(id), length: 1, body: [1]).bytes }
    #expect(try read(bytes, limits: limits).count == 10)
    bytes += RawChunk(format: 0, id: 500, length: 1, body: [1]).bytes
    let error = #expect(throws: ProtocolError.self) { try read(bytes, limits: limits) }
    #expect(error?.code == .chunkStreams)
  }

  @Test func `a declared length costs nothing until bytes come`() throws {
    var reader = ChunkReader()
    var bytes = Self.setChunkSize(16 << 20)
    for id in 3..<43 {
      bytes += RawChunk(format: 0, id: UInt32(id), length: 0xff_ffff).bytes
      // Each is given up by the next header; the last stays open with one byte.
    }
    bytes.append(1)
    #expect(try read(Array(bytes.prefix(16 + 12)), with: &reader).isEmpty)
    #expect(reader.heldBytes == 0)
    #expect(try read([7], with: &reader).isEmpty)
    #expect(reader.heldBytes > 0 && reader.heldBytes <= 64 << 10)
  }

  @Test func `unfinished messages stay within the memory budget`() throws {
    var limits = Limits()
    limits.memoryBytes = 1 << 20
    var reader = ChunkReader(limits: limits)
    _ = try read(Self.setChunkSize(100_000), with: &reader)
    // Each chunk stream is left with 100,000 bytes of a message of a million.
    let error = #expect(throws: ProtocolError.self) {
      for id in 3..<20 {
        let chunk = RawChunk(
          format: 0, id: UInt32(id), length: 1_000_000, body: pattern(100_000))
        _ = try read(chunk.bytes, with: &reader)
        #expect(reader.heldBytes <= 1 << 20)
      }
    }
    #expect(error?.code == .memory)
    #expect(error?.isRetryUseful == true)
  }

  @Test func `what was held is given back when messages end`() throws {
    var reader = ChunkReader()
    _ = try read(Self.setChunkSize(60_000), with: &reader)
    for index in 0..<20 {
      let body = pattern(300_000 + index)
      var bytes: [UInt8] = []
      var writer = ChunkWriter()
      writer.setChunkSize(60_000, into: &bytes)
      writer.write(.video, on: 6, streamID: 1, payload: body.span, into: &bytes)
      let cut = bytes.count - 10
      #expect(try read(Array(bytes[..<cut]), with: &reader).isEmpty)
      #expect(reader.heldBytes >= 300_000 - 10 && reader.heldBytes <= 300_000 + index)
      #expect(try read(Array(bytes[cut...]), with: &reader) == [message(.video, 0, body)])
      #expect(reader.heldBytes == 0)
    }
  }
}
