import Media

/// The media playlist of one rendition, at one moment: immutable, rendered once.
///
/// Source: RFC 8216, 4.3.2 and 4.3.3, and draft-pantos-hls-rfc8216bis for the server control.
package struct MediaPlaylist: Sendable {
  package let text: PlaylistText
  /// The media sequence number of the first segment.
  package let mediaSequence: Int
  /// The media sequence number that the next segment will have.
  package let nextSequence: Int
  package let targetDuration: Int
  package let isEnded: Bool

  /// Renders a playlist.
  ///
  /// - Parameters:
  ///   - segments: the window, oldest first, with consecutive numbers.
  ///   - state: the stream's state after the last of them.
  ///   - isIndependent: whether all segments that the playlist ever had are independent.
  ///   - isEnded: whether no segment will follow.
  ///   - prefix: goes before each segment's name; empty for the playlist's own folder.
  init(
    segments: some Collection<Segment>, state: WindowState, isIndependent: Bool, isEnded: Bool,
    prefix: String = ""
  ) {
    let first = segments.first
    mediaSequence = first?.sequence ?? state.nextSequence
    nextSequence = state.nextSequence
    targetDuration = state.targetDuration ?? 1
    self.isEnded = isEnded
    var writer = PlaylistWriter()
    writer.line("#EXT-X-VERSION:6")
    writer.line("#EXT-X-TARGETDURATION:\(targetDuration)")
    if !isEnded { writer.line("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES") }
    writer.line("#EXT-X-MEDIA-SEQUENCE:\(mediaSequence)")
    // The first segment's own tag adds one to this number.
    let discontinuities = first.map { $0.discontinuitySequence - ($0.isDiscontinuity ? 1 : 0) }
    writer.line("#EXT-X-DISCONTINUITY-SEQUENCE:\(discontinuities ?? state.discontinuitySequence)")
    if isIndependent { writer.line("#EXT-X-INDEPENDENT-SEGMENTS") }
    var key: SegmentKey?
    for segment in segments {
      if segment.key != key {
        key = segment.key
        writer.key(key)
      }
      if segment.isDiscontinuity { writer.line("#EXT-X-DISCONTINUITY") }
      writer.line("#EXT-X-PROGRAM-DATE-TIME:" + ProgramDate.text(segment.programDate))
      writer.line("#EXTINF:" + Self.seconds(segment.duration) + ",")
      writer.uri(prefix + segment.name)
    }
    if isEnded { writer.line("#EXT-X-ENDLIST") }
    text = PlaylistText(writer)
  }

  /// Seconds with three digits where that is exact, else six.
  static func seconds(_ time: MediaTime) -> String {
    let ticks = max(0, time.ticks)
    let isExact = ticks % 90 == 0
    let fraction =
      isExact ? ticks % 90_000 / 90 : (ticks % 90_000 * 100 + 4) / 9
    let digits = String(fraction)
    let zeros = String(repeating: "0", count: max(0, (isExact ? 3 : 6) - digits.count))
    return "\(ticks / 90_000).\(zeros)\(digits)"
  }
}
