import HLS
import Media

/// How streams are cut, listed and kept.
package struct StreamConfiguration: Sendable {
  /// How long a segment lasts, as near as the publisher's keyframes allow.
  package var fragment = Duration.seconds(3)
  /// How much media the live playlist lists.
  package var window = Duration.seconds(60)
  /// How long a stream waits for its publisher to return before it ends.
  package var reconnectWindow = Duration.seconds(60)
  /// How long an ended stream's playlist and segments can still be fetched.
  package var afterEnd = Duration.seconds(120)
  /// The start of a stream that is kept for RTMP players, in bytes.
  package var gopCacheBytes = 16 << 20

  package init() {}

  var packager: StreamPackager.Configuration {
    StreamPackager.Configuration(
      clock: SegmentClock.Configuration(fragment: MediaTime(fragment)))
  }

  func liveWindow(prefix: String = "") -> LiveWindow.Configuration {
    var configuration = LiveWindow.Configuration(length: MediaTime(window))
    configuration.prefix = prefix
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
}
