import Bytes

/// An aggregate message (type 22), taken apart: FLV tags whose timestamps are moved so that the
/// first one's is the aggregate's.
///
/// - Note: Source: RTMP 1.0, 7.1.6.
package struct Aggregate: Sendable {
  private let message: Message
  private var cursor = ByteCursor()
  /// Added to the timestamp of each tag; nil before the first.
  private var shift: UInt32?

  package init(_ message: Message) { self.message = message }

  /// The next audio, video or data message in it; nil at its end.
  ///
  /// - Throws: `.aggregate`: a tag reaches past the end.
  package mutating func next() throws(ProtocolError) -> Message? {
    let payload = message.payload
    let span = payload.span
    do {
      while cursor.left(span) > 0 {
        let type = MessageType(rawValue: try cursor.u8(span))
        let length = Int(try cursor.u24(span))
        let low = try cursor.u24(span)
        let timestamp = low | UInt32(try cursor.u8(span)) << 24
        try cursor.skip(3, span)
        let body = try cursor.bytes(length, span)
        // The length again; the last one's is left out by some.
        cursor.offset += min(4, cursor.left(span))
        let by = shift ?? message.timestamp &- timestamp
        shift = by
        guard type == .audio || type == .video || type == .data || type == .dataAMF3 else {
          continue
        }
        return Message(
          type: type, streamID: message.streamID, timestamp: timestamp &+ by, payload: body)
      }
      return nil
    } catch {
      throw ProtocolError(.aggregate, "a tag reaches past the end of its aggregate message")
    }
  }
}
