package import Media

/// A frame as it stands in a segment: with its final times on the stream's own time line.
///
/// What a ladder is made of: its rungs have the same pictures at the same times, and the same cuts.
package struct PlacedFrame: Sendable {
  /// Its times are the stream's, not the publisher's.
  package var frame: Frame
  /// The media sequence number of the segment that it stands in.
  package var sequence: Int
  /// Whether its segment begins with it: the first picture, or the first sound where there are none.
  package var isFirst: Bool

  package init(frame: Frame, sequence: Int, isFirst: Bool) {
    self.frame = frame
    self.sequence = sequence
    self.isFirst = isFirst
  }
}
