import Media

/// Places a publisher's frames on the stream's own time line, which never goes back, has no gap
/// that a segment can't hold, and goes on over publishers that come and go.
///
/// Frames keep their times, all moved by the same shift. When a publisher's clock jumps, or nothing
/// came for long, the shift changes so that the next frame follows the last one: nothing is lost,
/// sound and picture stay together, and the caller is told so that the playlist says it.
struct Timeline: Sendable, Equatable {
  /// A frame's place.
  struct Place: Equatable, Sendable {
    var dts: MediaTime
    var pts: MediaTime
    /// The shift changed before it: the playlist must say that time was broken here.
    var isBreak = false
  }

  /// One track's last frame.
  private struct Last: Sendable, Equatable {
    var time: MediaTime
    /// Time to the one before it, or what the codec says.
    var duration: MediaTime
  }

  private var shift = MediaTime.zero
  private var video: Last?
  private var audio: Last?
  /// How far decoding times are moved forward, for publishers whose pictures are shown before.
  private var advance = MediaTime.zero

  /// Going back by less than this is jitter.
  private static let back = MediaTime(milliseconds: 1_000)
  /// Nothing for less than this is a slow picture rate, not a gap.
  private static let gap = MediaTime(milliseconds: 400)
  /// A composition offset beyond this is a fault.
  private static let maximumOffset = MediaTime(milliseconds: 10_000)
  private static let tick = MediaTime(ticks: 1)

  /// Puts the next frame at `place` on the time line: a publisher begins.
  mutating func rebase(_ time: MediaTime, to place: MediaTime) {
    shift = time - place
    video = nil
    audio = nil
    advance = .zero
  }

  /// What the publisher's clock says at a place on the time line, since the shift changed last.
  func publisherTime(at place: MediaTime) -> MediaTime { place + shift }

  /// The place on the time line of what the publisher's clock says, since the shift changed last.
  func place(ofPublisher time: MediaTime) -> MediaTime { time - shift }

  /// Where the last frame ends; nil before the first.
  var end: MediaTime? {
    [video, audio].lazy.compactMap { $0.map { $0.time + $0.duration } }.max()
  }

  /// How long a track's frames last, as far as is known.
  func duration(of track: Track) -> MediaTime {
    (track == .video ? video : audio)?.duration ?? MediaTime(milliseconds: 33)
  }

  /// Places a frame.
  ///
  /// - Parameters:
  ///   - frame: of either track, in order of decoding within its track.
  ///   - nominal: how long it lasts if the codec says; nil for video.
  ///   - limit: up to where the running segment can go.
  /// - Returns: its place; decoding times increase within a track.
  mutating func place(_ frame: Frame, nominal: MediaTime?, limit: MediaTime) -> Place {
    var place = Place(dts: frame.dts - shift, pts: frame.dts - shift)
    let own = frame.track == .video ? video : audio
    if let latest = [video, audio].lazy.compactMap({ $0?.time }).max() {
      let isBack =
        own.map { place.dts < $0.time - Self.back } ?? (place.dts < latest - Self.maximumOffset)
      let isGap = place.dts - latest > Self.gap && place.dts > limit
      if isBack || isGap {
        let follow = latest + (own?.duration ?? MediaTime(milliseconds: 33))
        shift += place.dts - follow
        place.dts = follow
        place.isBreak = true
      }
    }
    if let own, place.dts <= own.time { place.dts = own.time + Self.tick }
    let offset = frame.pts - frame.dts
    let isSane = offset <= Self.maximumOffset && offset >= MediaTime.zero - Self.back
    place.pts = place.dts + (isSane ? offset : .zero)
    remember(frame.track, place.dts, nominal)
    return place
  }

  private mutating func remember(_ track: Track, _ time: MediaTime, _ nominal: MediaTime?) {
    let own = track == .video ? video : audio
    var duration = nominal ?? own?.duration ?? MediaTime(milliseconds: 33)
    if nominal == nil, let own {
      // At most doubled by each frame: one late picture doesn't make a slow picture rate.
      let ceiling = min(own.duration.ticks * 2 + 90, 5 * MediaTime.ticksPerSecond)
      duration.ticks = min(max((time - own.time).ticks, 90), ceiling)
    }
    let last = Last(time: time, duration: duration)
    if track == .video { video = last } else { audio = last }
  }

  /// Where a picture is decoded, so that it is never shown before.
  ///
  /// Publishers with negative composition offsets show pictures at the right time, and say that
  /// they are decoded too late: decoding is moved forward, for good, by the largest distance seen.
  mutating func decodingTime(of place: Place, after last: MediaTime?) -> MediaTime {
    if place.pts < place.dts - advance { advance = place.dts - place.pts }
    let wanted = place.dts - advance
    guard let last, wanted <= last else { return wanted }
    return last + Self.tick
  }
}
