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

  private var left: Int

  /// Takes a message.
  ///
  /// - Parameters:
  ///   - message: an aggregate.
  ///   - tags: how many it may have: each costs its reader more than its bytes do.
  package init(_ message: Message, tags: Int = Limits().aggregateTags) {
    self.message = message
    left = tags
  }

  /// The next audio, video or data message in it; nil at its end.
  ///
  /// - Throws: `.aggregate`: a tag reaches past the end, or there are too many.
  package mutating func next() throws(ProtocolError) -> Message? {
    let payload = message.payload
    let span = payload.span
    do {
      while cursor.left(span) > 0, left > 0 {
        left -= 1
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
      guard cursor.left(span) == 0 else {
        throw ProtocolError(.aggregate, "an aggregate message has too many tags")
      }
      return nil
    } catch let error as ProtocolError {
      throw error
    } catch {
      throw ProtocolError(.aggregate, "a tag reaches past the end of its aggregate message")
    }
  }
}
