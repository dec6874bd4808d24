import Media

@testable import HLS

/// A packager that knows a publisher's tracks.
func packager(
  _ publisher: Publisher, fragment: Int64 = 3_000, state: WindowState = WindowState()
) throws -> StreamPackager {
  let packager = StreamPackager(
    configuration: .init(clock: .init(fragment: MediaTime(milliseconds: fragment))),
    state: state)
  for configuration in try publisher.configurations() { packager.configure(configuration) }
  return packager
}

/// Collects what a packager gives, and runs its playlist along.
struct Viewer {
  var segments: [Segment] = []
  var window: LiveWindow
  var checker = PlaylistChecker()

  init(state: WindowState = WindowState()) { window = LiveWindow(state: state) }

  mutating func take(_ finished: [Segment], now: MediaTime = .zero) {
    for segment in finished {
      segments.append(segment)
      if let playlist = window.append(segment, now: now).playlist {
        checker.take(playlist.text.plain)
      }
    }
  }

  mutating func watch(_ frames: [Frame], _ packager: StreamPackager, date: Int64 = 1_000_000) {
    for frame in frames {
      take(
        packager.append(frame, date: date + frame.dts.milliseconds),
        now: MediaTime(milliseconds: frame.dts.milliseconds))
    }
  }

  var durations: [Double] { segments.map(\.duration.seconds) }
}
