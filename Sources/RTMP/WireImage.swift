import Bytes

/// A message encoded once for many players: to send it is to send these bytes.
///
/// It starts with a type 0 header, so it needs nothing that was sent before and changes nothing
/// that `ChunkWriter` compresses against: its chunk streams are its own. It fits every player
/// with the same message stream id and the same chunk size, which is all of them as a rule.
package struct WireImage: Sendable {
  package let type: MessageType
  package let streamID: UInt32
  package let timestamp: UInt32
  package let chunkSize: Int
  package let bytes: [UInt8]

  /// Encodes a message.
  ///
  /// - Parameters:
  ///   - type: audio, video or data.
  ///   - streamID: the players' message stream; 1 unless a player opened more than one.
  ///   - timestamp: milliseconds, 32 bits.
  ///   - payload: at most 16_777_215 bytes.
  ///   - chunkSize: what `ServerSession` told the players, `Limits.sendChunkSizeBytes`.
  package init(
    type: MessageType, streamID: UInt32 = 1, timestamp: UInt32,
    payload: borrowing Span<UInt8>, chunkSize: Int = Limits().sendChunkSizeBytes
  ) {
    let size = min(max(chunkSize, 1), 0xff_ffff)
    let length = min(payload.count, 0xff_ffff)
    let id = ChunkStreamID.ofImage(type)
    let extended = timestamp >= 0xff_ffff ? timestamp : nil
    var bytes: [UInt8] = []
    bytes.reserveCapacity(16 + length + length / size * 5)
    bytes.append(basicHeader: 0, id)
    bytes.append(u24: min(timestamp, 0xff_ffff))
    bytes.append(u24: UInt32(length))
    bytes.append(type.rawValue)
    bytes.append(u32: streamID.byteSwapped)
    if let extended { bytes.append(u32: extended) }
    bytes.append(
      payload: payload.extracting(first: length), chunkStream: id, chunkSize: size,
      extended: extended)
    self.type = type
    self.streamID = streamID
    self.timestamp = timestamp
    self.chunkSize = size
    self.bytes = bytes
  }
}
