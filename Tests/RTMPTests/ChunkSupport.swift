import Bytes
import RTMP

/// A message as a test writes and expects it.
func message(
  _ type: MessageType, _ timestamp: UInt32, _ payload: [UInt8], stream: UInt32 = 1
) -> Message {
  Message(type: type, streamID: stream, timestamp: timestamp, payload: payload)
}

/// `count` bytes that differ from their neighbours and from run to run of `seed`.
func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ seed &* 7 &+ $0 >> 8) }
}

/// Everything a reader makes of bytes that come in the given pieces.
func read(
  _ bytes: [UInt8], cuts: [Int] = [], limits: Limits = Limits()
) throws(ProtocolError) -> [Message] {
  var reader = ChunkReader(limits: limits)
  return try read(bytes, cuts: cuts, with: &reader)
}

func read(
  _ bytes: [UInt8], cuts: [Int] = [], with reader: inout ChunkReader
) throws(ProtocolError) -> [Message] {
  var messages: [Message] = []
  var start = 0
  for end in cuts + [bytes.count] {
    let piece = Array(bytes[start..<end])
    start = end
    var cursor = ByteCursor()
    while let message = try reader.next(piece.span, &cursor) { messages.append(message) }
  }
  return messages
}

/// A chunk written by hand: what `ChunkWriter` would never write, too.
struct RawChunk {
  var format: UInt8
  var id: UInt32 = 4
  var field: UInt32 = 0
  var length = 0
  var type: MessageType = .video
  var stream: UInt32 = 1
  var extended: UInt32?
  var body: [UInt8] = []

  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    switch id {
    case ..<64: bytes.append(format << 6 | UInt8(id))
    case ..<320: bytes += [format << 6, UInt8(id - 64)]
    default:
      bytes += [format << 6 | 1, UInt8((id - 64) & 0xff), UInt8((id - 64) >> 8)]
    }
    if format < 3 { bytes.append(u24: field) }
    if format < 2 {
      bytes.append(u24: UInt32(length))
      bytes.append(type.rawValue)
    }
    if format == 0 { bytes.append(u32: stream.byteSwapped) }
    if let extended { bytes.append(u32: extended) }
    return bytes + body
  }
}

/// One seed, the same numbers on every machine.
struct FixedRandom: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
    return word ^ word >> 31
  }
}
