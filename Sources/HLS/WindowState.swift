package import Media

/// What a stream must remember for its playlist to go on: after a publisher's return, a restart of
/// the process, or on another node.
///
/// The owner keeps it durably *before* it shows the playlist that it belongs to, so that no number
/// is ever given twice.
package struct WindowState: Sendable, Equatable, Codable {
  /// The media sequence number of the next segment.
  package var nextSequence: Int
  /// The number of discontinuities so far.
  package var discontinuitySequence: Int
  /// The playlist's target duration in seconds; nil before the first segment.
  package var targetDuration: Int?
  /// Where the time line goes on.
  package var endTime: MediaTime
  /// The program date after the last segment, in milliseconds since 1970; the next isn't earlier.
  package var endDate: Int64

  package init(
    nextSequence: Int = 0, discontinuitySequence: Int = 0, targetDuration: Int? = nil,
    endTime: MediaTime = .zero, endDate: Int64 = 0
  ) {
    self.nextSequence = nextSequence
    self.discontinuitySequence = discontinuitySequence
    self.targetDuration = targetDuration
    self.endTime = endTime
    self.endDate = endDate
  }

  /// Whether segments came before, so that the next one is a discontinuity.
  package var isResumed: Bool { nextSequence > 0 }
}
