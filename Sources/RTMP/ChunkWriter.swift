import Bytes

/// The sending half of a chunk stream: messages in, bytes out.
///
/// Headers are shortened to type 1, 2 or 3 where the same chunk stream allows it. A type 3 chunk
/// starts a message only after a delta was sent, because receivers differ about one that follows
/// a type 0. Extended timestamps are repeated on every type 3 chunk (ffmpeg fails without).
///
/// - Note: Source: RTMP 1.0, 5.3.1.
package struct ChunkWriter: Sendable {
  /// The chunk size in force, in bytes; the peer has been told of it.
  package private(set) var chunkSize = 128
  private var last: [Last] = []

  package init() {}

  /// Tells the peer a new chunk size and uses it from then on.
  ///
  /// - Parameters:
  ///   - size: 1...16_777_215 bytes; others are clamped.
  ///   - output: where the bytes go.
  package mutating func setChunkSize(_ size: Int, into output: inout [UInt8]) {
    let size = min(max(size, 1), 0xff_ffff)
    control(.setChunkSize, UInt32(size), into: &output)
    chunkSize = size
  }

  /// Writes a protocol control message whose payload is one 32-bit number.
  package mutating func control(
    _ type: MessageType, _ value: UInt32, into output: inout [UInt8]
  ) {
    var payload: [UInt8] = []
    payload.append(u32: value)
    write(type, on: ChunkStreamID.control, payload: payload.span, into: &output)
  }

  /// Writes a User Control message whose argument is one 32-bit number.
  package mutating func userControl(
    _ event: UInt16, _ value: UInt32, into output: inout [UInt8]
  ) {
    var payload: [UInt8] = []
    payload.append(u16: event)
    payload.append(u32: value)
    write(.userControl, on: ChunkStreamID.control, payload: payload.span, into: &output)
  }

  /// Writes one message.
  ///
  /// - Parameters:
  ///   - type: the message's type.
  ///   - chunkStream: 2...65_599; one per kind of message, so that headers stay short.
  ///   - streamID: the message stream.
  ///   - timestamp: milliseconds, 32 bits.
  ///   - payload: at most 16_777_215 bytes; what is beyond is not sent.
  ///   - output: where the bytes are appended.
  /// - Complexity: O(payload).
  package mutating func write(
    _ type: MessageType, on chunkStream: UInt32, streamID: UInt32 = 0, timestamp: UInt32 = 0,
    payload: borrowing Span<UInt8>, into output: inout [UInt8]
  ) {
    let length = min(payload.count, 0xff_ffff)
    let extended = writeHeader(
      type, on: chunkStream, streamID: streamID, timestamp: timestamp, length: length,
      into: &output)
    output.append(
      payload: payload.extracting(first: length), chunkStream: chunkStream, chunkSize: chunkSize,
      extended: extended)
  }

  /// Writes the header of a message's first chunk; its payload comes behind it.
  ///
  /// - Returns: the extended timestamp that all further chunks repeat, where there is one.
  mutating func writeHeader(
    _ type: MessageType, on chunkStream: UInt32, streamID: UInt32, timestamp: UInt32,
    length: Int, into output: inout [UInt8]
  ) -> UInt32? {
    var now = Last(
      id: chunkStream, type: type, streamID: streamID, timestamp: timestamp, length: length)
    var format: UInt8 = 0
    var field = timestamp
    if let index = last.firstIndex(where: { $0.id == chunkStream }) {
      format = now.follow(last[index])
      if format > 0 { field = timestamp &- last[index].timestamp }
      last[index] = now
    } else {
      last.append(now)
    }
    output.append(basicHeader: format, chunkStream)
    if format < 3 { output.append(u24: min(field, 0xff_ffff)) }
    if format < 2 {
      output.append(u24: UInt32(length))
      output.append(type.rawValue)
    }
    if format == 0 { output.append(u32: streamID.byteSwapped) }
    let extended = field >= 0xff_ffff ? field : nil
    if let extended { output.append(u32: extended) }
    return extended
  }
}

/// What was sent last on one chunk stream.
private struct Last: Sendable {
  let id: UInt32
  let type: MessageType
  let streamID: UInt32
  let timestamp: UInt32
  let length: Int
  /// The delta that was sent; nil after a type 0.
  var delta: UInt32?

  /// The shortest header with which this message may follow the other one.
  mutating func follow(_ other: Last) -> UInt8 {
    let step = timestamp &- other.timestamp
    guard streamID == other.streamID, step < 0xff_ffff else { return 0 }
    delta = step
    guard type == other.type, length == other.length else { return 1 }
    return other.delta == step ? 3 : 2
  }
}

/// The chunk streams we send on, one per kind of message.
package enum ChunkStreamID {
  package static let control: UInt32 = 2
  package static let command: UInt32 = 3
  package static let audio: UInt32 = 4
  package static let status: UInt32 = 5
  package static let video: UInt32 = 6
  package static let data: UInt32 = 7

  /// The chunk stream for a message sent through `ChunkWriter`.
  package static func of(_ type: MessageType) -> UInt32 {
    switch type {
    case .audio: audio
    case .video: video
    default: data
    }
  }

  /// The chunk stream of a `WireImage`: never one that `ChunkWriter` compresses headers on.
  package static func ofImage(_ type: MessageType) -> UInt32 { of(type) + 8 }
}

extension [UInt8] {
  /// Appends a chunk's basic header in its shortest form.
  mutating func append(basicHeader format: UInt8, _ id: UInt32) {
    switch id {
    case 2...63: append(format << 6 | UInt8(id))
    case 64...319:
      append(format << 6)
      append(UInt8(id - 64))
    default:
      append(format << 6 | 1)
      append(UInt8(truncatingIfNeeded: id &- 64))
      append(UInt8(truncatingIfNeeded: (id &- 64) >> 8))
    }
  }

  /// Appends a payload, cut into chunks after the first header, which is there already.
  mutating func append(
    payload: borrowing Span<UInt8>, chunkStream: UInt32, chunkSize: Int, extended: UInt32?
  ) {
    var offset = 0
    while true {
      let count = Swift.min(chunkSize, payload.count - offset)
      append(copying: payload.extracting(offset..<offset + count))
      offset += count
      guard offset < payload.count else { return }
      append(basicHeader: 3, chunkStream)
      if let extended { append(u32: extended) }
    }
  }
}
