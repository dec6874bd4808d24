package import Media

/// Segments that are listed and kept elsewhere: a window of hours, of which memory holds a minute.
extension LiveWindow {
  /// Where a segment is besides in memory.
  package enum Elsewhere: Sendable {
    case there
    /// It may be there soon.
    case underway
    /// It will not be.
    case nowhere
  }

  /// Lets go of the bytes of listed segments that are elsewhere, the oldest first.
  ///
  /// One that is nowhere else can't be listed for long: it leaves the playlist, with all before it.
  ///
  /// - Parameters:
  ///   - length: how much media stays in memory, and at least the fewest segments of a playlist;
  ///     as configured, unless given.
  ///   - now: the owner's monotonic clock.
  ///   - find: says where a segment is.
  /// - Returns: those whose bytes went, with them, and whether the playlist has changed.
  package mutating func release(
    beyond length: MediaTime? = nil, now: MediaTime, find: (Segment) -> Elsewhere
  ) -> (released: [Segment], isChanged: Bool) {
    guard let length = length ?? configuration.held else { return ([], false) }
    var gone: [Segment] = []
    var isChanged = false
    while segments.count - releasedCount > configuration.minimumSegments {
      let oldest = segments[releasedCount]
      guard heldDuration - oldest.duration >= length else { break }
      switch find(oldest) {
      case .underway: return (gone, isChanged)
      case .there:
        release()
        gone.append(oldest)
      case .nowhere:
        shed(releasedCount + 1, now: now)
        isChanged = true
      }
    }
    return (gone, isChanged)
  }
}
