import Bytes

/// The header of a video message, legacy or E-RTMP, and where its body stands.
///
/// Source: FLV 10.1, E.4.3, and Enhanced RTMP v2, "Enhanced Video".
package struct VideoTag: Sendable, Equatable {
  package var codec: Codec
  package var trackID: UInt8 = 0
  package var isKeyframe: Bool
  package var content: TagContent
  /// How long after its decoding a picture is shown, in milliseconds; may be negative.
  package var compositionMilliseconds: Int32 = 0
  /// To be added to the message's timestamp: 0...999_999 ns.
  package var nanoseconds: UInt32 = 0
  /// The elementary data, or the record.
  package var body: Range<Int>

  /// Reads a message's body; one message may hold several tracks.
  ///
  /// An empty message has no tag, and is no error.
  /// - Parameters:
  ///   - bytes: the whole body of the message (or of the FLV tag).
  ///   - take: is given each track's tag, in order.
  /// - Throws: `TagError`; tags given before it are good.
  package static func parse(
    _ bytes: borrowing Span<UInt8>, _ take: (VideoTag) -> Void
  ) throws(TagError) {
    guard bytes.count > 0 else { return }
    let first = bytes[0]
    if first & 0x80 != 0 {
      try parseExtended(bytes, take)
    } else {
      take(try legacy(bytes))
    }
  }

  /// Reads the header that FLV always had.
  private static func legacy(_ bytes: borrowing Span<UInt8>) throws(TagError) -> VideoTag {
    let frameType = bytes[0] >> 4
    let id = bytes[0] & 0x0F
    let codec: Codec
    switch id {
    case 2: codec = .h263
    case 3, 6: codec = .screenVideo
    case 4, 5: codec = .vp6
    case 7: codec = .h264
    case 12: codec = .h265  // never in the specification, but what many encoders send
    case 13: codec = .av1
    default: throw .unknownCodec("video codec \(id)")
    }
    var tag = VideoTag(
      codec: codec, isKeyframe: frameType == 1 || frameType == 4, content: .frame,
      body: 1..<bytes.count)
    if frameType == 5 {
      tag.content = .other
      return tag
    }
    guard id == 7 || id >= 12 else { return tag }
    guard bytes.count >= 5 else {
      // An end of sequence is often cut short after its type.
      guard bytes.count >= 2, bytes[1] == 2 else { throw .truncated }
      tag.content = .sequenceEnd
      tag.body = bytes.count..<bytes.count
      return tag
    }
    tag.body = 5..<bytes.count
    switch bytes[1] {
    case 0: tag.content = .sequenceStart
    case 1: tag.compositionMilliseconds = signed24(bytes, 2)
    case 2: tag.content = .sequenceEnd
    default: throw .unknownPacketType(bytes[1])
    }
    return tag
  }

  private static func parseExtended(
    _ bytes: borrowing Span<UInt8>, _ take: (VideoTag) -> Void
  ) throws(TagError) {
    let frameType = bytes[0] >> 4 & 7
    var header = try ExtendedTagHeader(bytes, multitrackType: 6, metadataType: 4, isVideo: true)
    if frameType == 5, header.packetType != 4 { return }  // a seek command: one byte, no FourCC
    while let track = try header.nextTrack(bytes) {
      guard let codec = Codec(fourCC: track.fourCC), codec.track == .video else {
        throw .unknownCodec(track.fourCC.description)
      }
      var tag = VideoTag(
        codec: codec, trackID: track.id, isKeyframe: frameType == 1 || frameType == 4,
        content: .frame, nanoseconds: header.nanoseconds, body: track.body)
      switch header.packetType {
      case 0: tag.content = .sequenceStart
      case 1:
        if codec == .h264 || codec == .h265 || codec == .vvc {
          guard track.body.count >= 3 else { throw .truncated }
          tag.compositionMilliseconds = signed24(bytes, track.body.lowerBound)
          tag.body = track.body.lowerBound + 3..<track.body.upperBound
        }
      case 2: tag.content = .sequenceEnd
      case 3: break
      case 4: tag.content = .metadata
      case 5: tag.content = .other
      default: throw .unknownPacketType(header.packetType)
      }
      take(tag)
    }
  }

  private static func signed24(_ bytes: borrowing Span<UInt8>, _ at: Int) -> Int32 {
    let value = UInt32(bytes[at]) << 16 | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2])
    return Int32(bitPattern: value << 8) >> 8
  }
}
