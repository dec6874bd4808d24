/// Turns the 32-bit millisecond timestamps of one RTMP stream into 64-bit ones that never go back.
///
/// One of it serves both tracks of a stream, so that a repair keeps sound and picture together:
/// - 2^32 wraps to 0 after 49.7 days, and 2^31 does with encoders that keep 31 bits;
/// - a track that goes back a little (jitter) is held at its last time until it has caught up;
/// - a track that goes back or forth a lot (an encoder restarted its clock) begins a new *epoch*,
///   which goes on right after the last time given. The other track follows into the same epoch
///   when its own clock restarts, and its messages from before are still read by the old one.
package struct TimestampUnwrapper: Sendable, Equatable {
  /// What had to be done to a timestamp.
  package enum Event: Equatable, Sendable {
    /// Nothing.
    case continuous
    /// The 32-bit (or 31-bit) counter passed its end.
    case wrapped
    /// It lay this far before the track's last one, and was held at it.
    case held(milliseconds: Int64)
    /// It lay this far before its track's last one: the track is in a new epoch.
    case steppedBack(milliseconds: Int64)
    /// It lay this far after its track's last one: the track is in a new epoch.
    case jumped(milliseconds: Int64)
    /// The other track's clock restarted before, and this one is in the same new epoch now.
    case joined
  }

  /// A repaired time and what was done to it.
  package struct Reading: Equatable, Sendable {
    package var milliseconds: Int64
    package var event: Event
  }

  /// From which distance a time is a fault of the clock, and not of the stream.
  package struct Limits: Sendable, Equatable {
    /// A track that goes back by more than this begins a new epoch.
    package var backMilliseconds: Int64 = 1_000
    /// A track that goes forward by more than this begins a new epoch.
    ///
    /// A silence of this length ends a publisher before, so only a wrong clock gets here.
    package var forwardMilliseconds: Int64 = 60_000
    /// How far the tracks of one clock may lie apart.
    package var apartMilliseconds: Int64 = 10_000
    /// How far after the last time given a new epoch begins.
    package var restartMilliseconds: Int64 = 20

    package init() {}
  }

  /// One track's clock: the time given is `raw + offset`.
  private struct Clock: Sendable, Equatable {
    var raw: Int64
    var offset: Int64
    var epoch: Int
    var given: Int64
  }

  private var limits: Limits
  private var video: Clock?
  private var audio: Clock?
  private var epoch = 0
  /// The latest time given to any track.
  package private(set) var head: Int64 = 0

  package init(limits: Limits = Limits()) { self.limits = limits }

  /// Takes the next timestamp of a track.
  ///
  /// - Parameters:
  ///   - timestamp: milliseconds as in the message header, modulo 2^32.
  ///   - track: whose message it is.
  /// - Returns: the repaired time, never below the track's last one. The first time of a stream is
  ///   kept as it is.
  package mutating func unwrap(_ timestamp: UInt32, track: Track) -> Reading {
    let reading: Reading
    switch track {
    case .video:
      var clock = video
      reading = take(timestamp, clock: &clock, other: audio)
      video = clock
    case .audio:
      var clock = audio
      reading = take(timestamp, clock: &clock, other: video)
      audio = clock
    }
    return reading
  }

  private mutating func take(_ timestamp: UInt32, clock: inout Clock?, other: Clock?) -> Reading {
    guard var own = clock else {
      clock = start(timestamp, beside: other, after: nil)
      return Reading(milliseconds: clock?.given ?? 0, event: .continuous)
    }
    let (step, wrapped) = Self.step(from: own.raw, to: timestamp)
    guard step >= -limits.backMilliseconds, step <= limits.forwardMilliseconds else {
      // The other track may have restarted first: then this one joins its epoch.
      let newer = other.flatMap { $0.epoch > own.epoch ? $0 : nil }
      let fresh = start(timestamp, beside: newer, after: own.given)
      clock = fresh
      let event: Event =
        fresh.epoch == newer?.epoch
        ? .joined
        : step < 0 ? .steppedBack(milliseconds: -step) : .jumped(milliseconds: step)
      return Reading(milliseconds: fresh.given, event: event)
    }
    // A raw time that lies back doesn't move the clock back: a slow walk backwards adds up.
    own.raw = max(own.raw, own.raw + step)
    let time = own.raw + own.offset
    let held = step < 0 ? -step : max(0, own.given - time)
    own.given = max(own.given, time)
    head = max(head, own.given)
    clock = own
    let event: Event =
      held > 0 ? .held(milliseconds: held) : wrapped ? .wrapped : .continuous
    return Reading(milliseconds: own.given, event: event)
  }

  /// The clock of a track that begins, or begins anew.
  ///
  /// - Parameters:
  ///   - timestamp: its first raw time.
  ///   - other: the other track's clock, if it may be the same one.
  ///   - floor: the track's last time given; nil if it had none.
  /// - Returns: the clock, with that first time given.
  private mutating func start(_ timestamp: UInt32, beside other: Clock?, after floor: Int64?)
    -> Clock
  {
    var fresh: Clock
    if let other, case let step = Self.step(from: other.raw, to: timestamp).step,
      step >= -limits.apartMilliseconds, step <= limits.apartMilliseconds
    {
      let raw = other.raw + step
      let given = max(raw + other.offset, floor ?? .min)
      fresh = Clock(raw: raw, offset: other.offset, epoch: other.epoch, given: given)
    } else if other == nil, floor == nil {
      fresh = Clock(
        raw: Int64(timestamp), offset: 0, epoch: epoch, given: Int64(timestamp))
    } else {
      epoch += 1
      let given = head + limits.restartMilliseconds
      fresh = Clock(
        raw: Int64(timestamp), offset: given - Int64(timestamp), epoch: epoch, given: given)
    }
    head = max(head, fresh.given)
    return fresh
  }

  /// How far the nearest time with these low 32 bits lies from another one.
  ///
  /// A counter that keeps 31 bits falls by almost 2^31 at its end, and stays that far below: a
  /// distance that is small modulo 2^31 only is taken as one of those.
  private static func step(from last: Int64, to timestamp: UInt32) -> (step: Int64, wrapped: Bool) {
    let low = UInt32(truncatingIfNeeded: last)
    let step = Int64(Int32(bitPattern: timestamp &- low))
    if timestamp < 1 << 31, step.magnitude > 1 << 30 {
      let step31 = Int64(Int32(bitPattern: (timestamp &- low) << 1) >> 1)
      if step31.magnitude <= 1 << 17 {
        return (step31, step31 > 0 && (last + step31) >> 31 != last >> 31)
      }
    }
    return (step, step > 0 && (last + step) >> 32 != last >> 32)
  }
}
