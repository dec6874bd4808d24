package import Media

/// Says when media is due, so that a file or an encoder is sent no faster than it plays.
///
/// The first time given is due at once; each later one as much later as its media time is. Waits
/// are taken from that start and not from each other, so errors don't add up. A clock that has
/// fallen far behind (a suspended machine) or media that leaps starts anew instead of racing.
package struct RealTimePacer: Equatable, Sendable {
  /// How early media may be sent.
  package var lead: Duration
  /// How far behind the clock may fall before it starts anew; what is less is caught up.
  package var maximumLag: Duration
  /// The longest wait that is believed.
  package var maximumWait: Duration
  /// How often it had to start anew.
  package private(set) var restarts = 0
  private var start: (clock: Duration, media: MediaTime)?

  package init(
    lead: Duration = .zero, maximumLag: Duration = .seconds(2),
    maximumWait: Duration = .seconds(10)
  ) {
    self.lead = lead
    self.maximumLag = maximumLag
    self.maximumWait = maximumWait
  }

  /// How long to wait before sending.
  ///
  /// - Parameters:
  ///   - media: the decoding time; it may step back a little between tracks.
  ///   - now: of a clock that never goes back, from any zero.
  /// - Returns: 0 if it is due.
  package mutating func wait(for media: MediaTime, now: Duration) -> Duration {
    guard let start else {
      start = (now, media)
      return .zero
    }
    let ticks = media.ticks - start.media.ticks
    let seconds = ticks / MediaTime.ticksPerSecond
    let rest = ticks % MediaTime.ticksPerSecond
    // One tick is 100/9 µs: in whole nanoseconds no time of a day or of a year is lost.
    let due = start.clock + .seconds(seconds) + .nanoseconds(rest * 100_000 / 9)
    let wait = due - lead - now
    let behind = now - (due - lead)
    guard wait <= maximumWait, behind <= maximumLag else {
      restarts += 1
      self.start = (now, media)
      return .zero
    }
    return max(.zero, wait)
  }

  package static func == (a: Self, b: Self) -> Bool {
    a.lead == b.lead && a.maximumLag == b.maximumLag && a.maximumWait == b.maximumWait
      && a.restarts == b.restarts && a.start?.clock == b.start?.clock
      && a.start?.media == b.start?.media
  }
}
