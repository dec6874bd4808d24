package import Media

/// Decides where a stream is cut into segments; one for all renditions of it.
///
/// Cuts fall on the publisher's keyframes: the first one at or after the fragment's duration, or an
/// earlier one when waiting for the next would make the segment too long. The target duration is
/// fixed at the first cut from what was seen until then, and never changes:
/// - keyframes that come regularly: what the first segment lasted;
/// - others (scene cuts of an encoder without a keyframe interval): twice the fragment at least.
///
/// So a publisher whose groups of pictures last 10 s works, with a target of 10 s. A later group
/// that is longer than the target is cut inside, as a last resort: `.force`. That segment's
/// follower doesn't begin with a keyframe, and the playlist then no longer says that segments are
/// independent. Without video every frame is a keyframe.
package struct SegmentClock: Sendable, Equatable {
  package struct Configuration: Sendable, Equatable {
    /// The duration to reach.
    package var fragment = MediaTime(milliseconds: 3_000)
    /// In whole seconds, for an operator who knows the publishers' keyframe interval.
    package var targetDuration: Int?
    /// How many fragments the first keyframe after the start may take; then it is cut without.
    package var patience: Int64 = 4

    package init(fragment: MediaTime = MediaTime(milliseconds: 3_000), targetDuration: Int? = nil) {
      self.fragment = max(fragment, MediaTime(milliseconds: 200))
      self.targetDuration = targetDuration
    }
  }

  package enum Decision: Equatable, Sendable {
    /// The frame belongs to the running segment.
    case stay
    /// The frame, a keyframe, begins the next one.
    case cut
    /// The frame begins the next one because no keyframe came in time.
    case force
  }

  package let configuration: Configuration
  /// `EXT-X-TARGETDURATION`, in seconds; nil until the first cut.
  package private(set) var targetDuration: Int?
  /// When the running segment began.
  package private(set) var start = MediaTime.zero
  private var hasVideo = false
  private var lastKeyframe: MediaTime?
  /// Where the running segment ends, as somebody else has cut it there; nil where the clock
  /// decides.
  private var agreed: MediaTime?
  /// Keyframe distances of the first segment, at most 8, then the last one alone.
  private var intervals: [MediaTime] = []

  /// How long after the target a cut is forced.
  private static let overrun = MediaTime(milliseconds: 200)
  /// How long after the target a segment may end and still round to it.
  private static let roundsTo = MediaTime(milliseconds: 490)

  /// Starts with the target duration that the stream's playlist already has, if it has one.
  package init(configuration: Configuration, targetDuration: Int? = nil) {
    self.configuration = configuration
    self.targetDuration = targetDuration ?? configuration.targetDuration
  }

  /// Begins the first segment, or one after a break.
  package mutating func begin(at time: MediaTime, hasVideo: Bool) {
    start = time
    agreed = nil
    self.hasVideo = hasVideo
    lastKeyframe = hasVideo ? time : nil
    if targetDuration != nil { intervals.removeAll(keepingCapacity: true) }
  }

  /// Has the running segment end where another node has ended it, which had the same frames.
  ///
  /// - Parameter time: of the first frame behind it; one that no segment can reach means nothing.
  package mutating func agree(at time: MediaTime) {
    agreed = time > start && time <= start + limit ? time : nil
  }

  /// The longest that the running segment may last, in an emergency.
  package var limit: MediaTime {
    if let targetDuration {
      return MediaTime(milliseconds: Int64(targetDuration) * 1_000) + Self.roundsTo
    }
    return MediaTime(ticks: configuration.fragment.ticks * configuration.patience) + Self.roundsTo
  }

  /// Decides for a frame, in the order in which frames are written.
  ///
  /// - Parameters:
  ///   - time: the frame's decoding time; `limit` after `start` at most.
  ///   - track: its track.
  ///   - isKeyframe: whether decoding can start at it.
  ///   - duration: how long it will last, as far as is known.
  /// - Returns: after `.cut` and `.force` the clock's segment is the one that the frame begins.
  package mutating func decide(
    at time: MediaTime, track: Track, isKeyframe: Bool, duration: MediaTime
  ) -> Decision {
    let elapsed = time - start
    let fragment = configuration.fragment
    let enough = agreed == nil && elapsed.ticks >= fragment.ticks - fragment.ticks / 20
    if let agreed, time >= agreed, track == .video || !hasVideo {
      return cut(at: time, isKeyframe || !hasVideo ? .cut : .force)
    }
    if !hasVideo {
      guard enough || elapsed + duration > limit - Self.roundsTo + Self.overrun else {
        return .stay
      }
      return cut(at: time, .cut)
    }
    if track == .video, isKeyframe {
      if let lastKeyframe, time > lastKeyframe { note(time - lastKeyframe) }
      lastKeyframe = time
      let next = elapsed + (intervals.last ?? .zero)
      let wouldBeTooLong =
        targetDuration != nil && agreed == nil && elapsed.ticks >= fragment.ticks / 4
        && next > limit - Self.roundsTo + Self.overrun
      if enough || wouldBeTooLong { return cut(at: time, .cut) }
    }
    if elapsed > .zero, elapsed + duration > limit - Self.roundsTo + Self.overrun {
      return cut(at: time, track == .video && isKeyframe ? .cut : .force)
    }
    return .stay
  }

  /// Cuts here whatever the durations are: the codec changed, or the time jumped.
  package mutating func cutNow(at time: MediaTime, hasVideo: Bool) {
    if time > start { fixTarget(for: time - start) }
    begin(at: time, hasVideo: hasVideo)
  }

  /// Ends the running segment for good, so that its playlist has a target duration.
  package mutating func finish(at time: MediaTime) { fixTarget(for: time - start) }

  private mutating func cut(at time: MediaTime, _ decision: Decision) -> Decision {
    fixTarget(for: time - start)
    start = time
    agreed = nil
    return decision
  }

  private mutating func note(_ interval: MediaTime) {
    if targetDuration != nil { intervals.removeAll(keepingCapacity: true) }
    if intervals.count < 8 { intervals.append(interval) }
  }

  /// Sets the target duration, once, when the first segment lasted so long.
  private mutating func fixTarget(for duration: MediaTime) {
    guard targetDuration == nil else { return }
    let fragment = configuration.fragment.seconds
    // A tenth of a second above a whole number is the jitter of a keyframe, not another length.
    var target = max(duration.seconds - 0.1, fragment - 0.1)
    if hasVideo, !isRegular { target = max(target, 2 * fragment) }
    targetDuration = max(1, Int(target.rounded(.up)))
  }

  /// Whether keyframes come at an interval that somebody has set.
  private var isRegular: Bool {
    guard let longest = intervals.max(), let shortest = intervals.min() else { return false }
    if intervals.count > 1 { return longest.ticks - shortest.ticks <= longest.ticks / 10 }
    // One interval only: the ones that are set are halves of seconds.
    let off = (longest.seconds * 2 - (longest.seconds * 2).rounded()).magnitude
    return off <= 0.1
  }
}
