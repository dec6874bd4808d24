import CNGHTTP2

/// What a peer has said of its latest streams: which it has opened, and which it has ended.
///
/// libnghttp2 would keep each stream for it, a quarter of a KiB, long after it is closed. A peer
/// that sends more of a stream which it has itself ended is not in time with us; of one that we
/// have ended, something may always be on its way. Streams older than the latest 64 are not known
/// any more, and libnghttp2 passes over what comes of them.
struct PeerStreams {
  /// The highest stream there was; stream n is bit `(newest - n) / 2` of the masks.
  private var newest = -1
  private var opened: UInt64 = 0
  private var ended: UInt64 = 0

  /// Takes note of a frame's header.
  ///
  /// - Returns: nil, or what is wrong with it (RFC 9113, 5.1 and 5.1.1).
  mutating func judge(_ frame: FrameHead) -> HTTP2Violation? {
    // Those of a server, and the connection's own, are libnghttp2's business.
    let stream = Int(frame.stream)
    guard stream & 1 == 1 else { return nil }
    let ends = frame.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
    let isOpening = UInt32(frame.type) == NGHTTP2_HEADERS.rawValue
    if stream > newest {
      guard isOpening else { return nil }
      // A shift by more than there are bits leaves none.
      opened = opened << ((stream - newest) / 2) | 1
      ended = ended << ((stream - newest) / 2) | (ends ? 1 : 0)
      newest = stream
      return nil
    }
    let age = (newest - stream) / 2
    guard age < 64 else { return nil }
    let place: UInt64 = 1 << age
    switch UInt32(frame.type) {
    case NGHTTP2_HEADERS.rawValue where opened & place == 0: return .protocolError
    case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
      if ended & place != 0 { return .closedStream }
      if ends { ended |= place }
    case NGHTTP2_RST_STREAM.rawValue: ended |= place
    default: break
    }
    return nil
  }
}
