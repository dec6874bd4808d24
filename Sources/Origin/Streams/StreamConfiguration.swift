package import Access
import EventLoop
import HLS
package import Media

/// How streams are cut, listed and kept.
package struct StreamConfiguration: Sendable {
  /// How long a segment lasts, as near as the publisher's keyframes allow.
  package var fragment = Duration.seconds(3)
  /// How much media the live playlist lists.
  package var window = Duration.seconds(60)
  /// How far viewers can go back, where that is further: what is older than `window` is on disk;
  /// zero keeps nothing there.
  package var dvrWindow = Duration.zero
  /// How long a stream waits for its publisher to return before it ends.
  package var reconnectWindow = Duration.seconds(60)
  /// How long the last part of a segment is kept back where the connection of a relay broke off:
  /// another node that has the stream by then makes all of that segment.
  package var relayPatience = Duration.seconds(1)
  /// How long an ended stream's playlist and segments can still be fetched.
  package var afterEnd = Duration.seconds(120)
  /// How long it can be fetched here after another process of the node has taken it over.
  package var afterUpgrade = Duration.seconds(30)
  /// The start of a stream that is kept for RTMP players, in bytes.
  package var gopCacheBytes = 16 << 20

  /// When the key of its segments changes; nil where they are not encrypted.
  package var encryption: KeySchedule.Configuration?

  /// How the rungs below the source are made; nil passes the source through alone.
  package var ladder: LadderConfiguration?
  /// Which qualities publishers and viewers have; of effect where there is a ladder.
  package var plans = Plans.defaults

  /// What one segment may grow to, and all that are kept of a stream, in bytes.
  package var maximumSegmentBytes = 64 << 20
  package var maximumBytes = 1 << 30

  package init() {}

  /// For how long the segments of a key can be fetched after it was used last: listed, then no
  /// longer listed, also while the publisher is away and after the end; and by viewers who paused.
  var keyLifetimeMilliseconds: Int64 {
    let spans = listed * 2 + reconnectWindow + afterEnd + .seconds(600)
    return spans.components.seconds * 1_000
  }

  /// For how long a key can be needed at most.
  package var longestKeyMilliseconds: Int64 {
    (encryption?.rotateEvery.milliseconds ?? 0) + keyLifetimeMilliseconds
  }

  /// How much media playlists list.
  var listed: Duration { max(window, dvrWindow) }

  /// How many segments are kept at most: a multiple of what one sends in real time.
  var maximumSegments: Int {
    let listed = MediaTime(listed).ticks / max(1, MediaTime(fragment).ticks)
    return max(2_000, Int(clamping: listed) * 8)
  }

  var packager: StreamPackager.Configuration {
    StreamPackager.Configuration(
      clock: SegmentClock.Configuration(fragment: MediaTime(fragment)))
  }

  func liveWindow(prefix: String = "") -> LiveWindow.Configuration {
    var configuration = LiveWindow.Configuration(length: MediaTime(listed))
    configuration.prefix = prefix
    if listed > window { configuration.held = MediaTime(window) }
    return configuration
  }
}

extension MediaTime {
  /// A duration, to the nearest millisecond below.
  init(_ duration: Duration) {
    self.init(
      milliseconds: duration.components.seconds * 1_000
        + duration.components.attoseconds / 1_000_000_000_000_000)
  }

  /// By the monotonic clock.
  package static func now() -> MediaTime {
    MediaTime(milliseconds: Int64(MonotonicTime.now.nanoseconds / 1_000_000))
  }
}
