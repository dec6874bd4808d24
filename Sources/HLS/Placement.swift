package import Media

/// What a packager does with a publisher's frames, as far as other rungs of the stream are made of
/// them: they have the same pictures at the same times, and the same cuts.
package enum Placement: Sendable {
  /// A segment begins; the frames that follow stand in it.
  case began(SegmentStart)
  /// A frame stands in the segment that has begun, with its times on the stream's own time line.
  case frame(Frame)
}

/// What is known of a segment when it begins.
package struct SegmentStart: Sendable, Equatable {
  /// Its media sequence number.
  package var sequence: Int
  package var isDiscontinuity: Bool
  /// How the frames in it are coded.
  package var video: TrackConfiguration?
  package var audio: TrackConfiguration?

  package init(
    sequence: Int, isDiscontinuity: Bool, video: TrackConfiguration?, audio: TrackConfiguration?
  ) {
    self.sequence = sequence
    self.isDiscontinuity = isDiscontinuity
    self.video = video
    self.audio = audio
  }
}
