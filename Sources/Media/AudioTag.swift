import Bytes

/// The header of an audio message, legacy or E-RTMP, and where its body stands.
///
/// Source: FLV 10.1, E.4.2, and Enhanced RTMP v2, "Enhanced Audio".
package struct AudioTag: Sendable, Equatable {
  package var codec: Codec
  package var trackID: UInt8 = 0
  package var content: TagContent
  /// To be added to the message's timestamp: 0...999_999 ns.
  package var nanoseconds: UInt32 = 0
  /// The elementary data, or the record.
  package var body: Range<Int>

  /// Reads a message's body; one message may hold several tracks.
  ///
  /// Silence has no tag, and is no error: an empty message, or a header without data.
  /// - Parameters:
  ///   - bytes: the whole body of the message (or of the FLV tag).
  ///   - take: is given each track's tag, in order.
  /// - Throws: `TagError`; tags given before it are good.
  package static func parse(
    _ bytes: borrowing Span<UInt8>, _ take: (AudioTag) -> Void
  ) throws(TagError) {
    guard bytes.count > 0 else { return }
    let codec: Codec
    switch bytes[0] >> 4 {
    case 0, 3: codec = .pcm
    case 1: codec = .adpcm
    case 2, 14: codec = .mp3
    case 4, 5, 6: codec = .nellymoser
    case 7, 8: codec = .g711
    case 9: return try parseExtended(bytes, take)
    case 10: codec = .aac
    case 11: codec = .speex
    default: throw .unknownCodec("sound format \(bytes[0] >> 4)")
    }
    guard codec == .aac else {
      if bytes.count > 1 { take(AudioTag(codec: codec, content: .frame, body: 1..<bytes.count)) }
      return
    }
    guard bytes.count > 2 else { return }
    switch bytes[1] {
    case 0: take(AudioTag(codec: .aac, content: .sequenceStart, body: 2..<bytes.count))
    case 1: take(AudioTag(codec: .aac, content: .frame, body: 2..<bytes.count))
    default: throw .unknownPacketType(bytes[1])
    }
  }

  private static func parseExtended(
    _ bytes: borrowing Span<UInt8>, _ take: (AudioTag) -> Void
  ) throws(TagError) {
    var header = try ExtendedTagHeader(bytes, multitrackType: 5, metadataType: 0, isVideo: false)
    while let track = try header.nextTrack(bytes) {
      guard let codec = Codec(fourCC: track.fourCC), codec.track == .audio else {
        throw .unknownCodec(track.fourCC.description)
      }
      var tag = AudioTag(
        codec: codec, trackID: track.id, content: .frame, nanoseconds: header.nanoseconds,
        body: track.body)
      switch header.packetType {
      case 0: tag.content = .sequenceStart
      case 1: tag.content = .frame
      case 2: tag.content = .sequenceEnd
      case 4: tag.content = .multichannel
      default: throw .unknownPacketType(header.packetType)
      }
      let needsBody = tag.content == .frame || tag.content == .sequenceStart
      if !needsBody || !track.body.isEmpty { take(tag) }
    }
  }
}
