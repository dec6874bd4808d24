package import Media

/// The live window of one rendition: which segments its playlist lists, and which may still be
/// fetched though it lists them no more.
///
/// Confined to the stream's owner, who hands each `Update` on to everybody who answers requests.
package struct LiveWindow: Sendable {
  package struct Configuration: Sendable, Equatable {
    /// How much media the playlist lists.
    package var length = MediaTime(milliseconds: 60_000)
    /// How much of it stays in memory, once it is elsewhere; nil for all of it.
    package var held: MediaTime?
    /// At least so many segments, however long.
    package var minimumSegments = 6
    /// Goes before each segment's name in the playlist.
    package var prefix = ""

    package init(length: MediaTime = MediaTime(milliseconds: 60_000)) { self.length = length }
  }

  /// What changed: to be applied as one.
  package struct Update: Sendable {
    /// The new segment; nil when the stream ended or only old ones went.
    package var added: Segment?
    /// Segments that nobody may ask for any more.
    package var expired: [Segment]
    /// The new playlist; nil if it is the same.
    package var playlist: MediaPlaylist?
  }

  private struct Retired: Sendable {
    var segment: Segment
    var until: MediaTime
  }

  package let configuration: Configuration
  /// The segments in the playlist, oldest first.
  package private(set) var segments: [Segment] = []
  private var retired: [Retired] = []
  /// How many of `segments`, the oldest, have no bytes any more.
  private(set) var releasedCount = 0
  /// The media of the others.
  private(set) var heldDuration = MediaTime.zero
  /// Of the longest playlist so far, as each listed segment may have been in it.
  private var longest = MediaTime.zero
  private var total = MediaTime.zero
  private var isIndependent = true
  /// What the owner keeps durably.
  package private(set) var state: WindowState
  package private(set) var isEnded = false
  /// The playlist as it is now; nil before the first segment.
  package private(set) var playlist: MediaPlaylist?

  /// Starts empty, with the numbers of a state.
  package init(configuration: Configuration = Configuration(), state: WindowState = WindowState()) {
    self.configuration = configuration
    self.state = state
  }

  /// Appends a finished segment.
  ///
  /// - Parameters:
  ///   - segment: numbered by `state.nextSequence`.
  ///   - now: the owner's monotonic clock.
  /// - Returns: what changed. A segment with a number from before is not appended.
  package mutating func append(_ segment: Segment, now: MediaTime) -> Update {
    guard segment.sequence >= state.nextSequence, !isEnded else {
      return Update(added: nil, expired: expire(now: now), playlist: nil)
    }
    // A hole in the numbers (segments lost with a node) can't be listed: what was before it goes.
    if segment.sequence > state.nextSequence { retire(segments.count, now: now) }
    segments.append(segment)
    total += segment.duration
    heldDuration += segment.duration
    if !segment.isIndependent { isIndependent = false }
    state = segment.stateAfter
    var surplus = 0
    var left = total
    while segments.count - surplus > configuration.minimumSegments,
      left - segments[surplus].duration >= configuration.length
    {
      left -= segments[surplus].duration
      surplus += 1
    }
    retire(surplus, now: now)
    longest = max(longest, total)
    return Update(added: segment, expired: expire(now: now), playlist: render())
  }

  /// Ends the stream: the playlist gets its `EXT-X-ENDLIST`, the listed segments stay.
  package mutating func end(now: MediaTime) -> Update {
    guard !isEnded else { return Update(added: nil, expired: expire(now: now), playlist: nil) }
    isEnded = true
    return Update(
      added: nil, expired: expire(now: now), playlist: segments.isEmpty ? nil : render())
  }

  /// Goes on after an end: the same publisher came back late, in the same playlist.
  package mutating func reopen() { isEnded = false }

  /// Drops the segments whose time has passed: to be called now and then while none are added.
  package mutating func expire(now: MediaTime) -> [Segment] {
    // Retired in order, but a long one may outlast the next.
    guard retired.contains(where: { $0.until <= now }) else { return [] }
    let gone = retired.filter { $0.until <= now }.map(\.segment)
    retired.removeAll { $0.until <= now }
    return gone
  }

  /// What a window that is shortened keeps in any case.
  package enum Rest: Sendable {
    /// What a live playlist must list, and as much again that left it a moment ago.
    case live
    /// What is listed at least: nobody publishes any more.
    case over
    /// The last segment.
    case end
  }

  /// Lets go of the oldest segments before their time, where memory is short.
  ///
  /// What is left is what a shorter window has: a little less than half of it is listed, so that a
  /// segment can be fetched for its own duration and that of the playlist after it was removed.
  ///
  /// - Parameters:
  ///   - bytes: how much is to be let go of.
  ///   - rest: what is left in any case.
  ///   - now: the owner's monotonic clock.
  /// - Returns: what changed: less than was asked for where no fewer may be listed than the least.
  package mutating func shorten(
    by bytes: Int, keeping rest: Rest = .live, now: MediaTime
  ) -> Update {
    let listedLeast = rest == .end ? 1 : configuration.minimumSegments
    let least = rest == .live ? 2 * listedLeast + 1 : listedLeast
    var gone: [Segment] = []
    var freed = 0
    while freed < bytes, retired.count + segments.count > least {
      if retired.isEmpty { retire(1, now: now) }
      let segment = retired.removeFirst().segment
      freed += segment.bytes.count
      gone.append(segment)
    }
    guard !gone.isEmpty else { return Update(added: nil, expired: [], playlist: nil) }
    let listed = max(listedLeast, (retired.count + segments.count - 1) / 2)
    retire(max(0, segments.count - listed), now: now)
    return Update(added: nil, expired: gone, playlist: segments.isEmpty ? nil : render())
  }

  /// The segments that are no longer listed but can be fetched.
  package var retiredSegments: [Segment] { retired.map(\.segment) }

  /// Takes the oldest segments out of the playlist.
  private mutating func retire(_ count: Int, now: MediaTime) {
    for (index, segment) in segments.prefix(count).enumerated() {
      total -= segment.duration
      if index >= releasedCount { heldDuration -= segment.duration }
      retired.append(Retired(segment: segment, until: now + segment.duration + longest))
    }
    segments.removeFirst(count)
    releasedCount = max(0, releasedCount - count)
  }

  /// The oldest segment that has its bytes is let go of them.
  mutating func release() {
    heldDuration -= segments[releasedCount].duration
    segments[releasedCount] = segments[releasedCount].released()
    releasedCount += 1
  }

  /// Takes the oldest segments out of the playlist, which is made anew.
  mutating func shed(_ count: Int, now: MediaTime) {
    retire(count, now: now)
    _ = render()
  }

  private mutating func render() -> MediaPlaylist {
    let fresh = MediaPlaylist(
      segments: segments, state: state, isIndependent: isIndependent, isEnded: isEnded,
      prefix: configuration.prefix)
    playlist = fresh
    return fresh
  }
}
