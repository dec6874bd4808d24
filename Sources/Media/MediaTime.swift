/// A moment or a span of media time: a count of 1/90000 s, the clock of MPEG-TS.
///
/// Milliseconds (RTMP) and every usual frame rate but the NTSC ones are exact in it. 64 bits of it
/// last for 3 million years, so nothing here wraps; the 33-bit field of a transport stream is cut
/// off where it is written.
package struct MediaTime: Comparable, Hashable, Sendable, Codable {
  /// The count of 1/90000 s; negative before the stream's zero.
  package var ticks: Int64

  /// Ticks in one second.
  package static let ticksPerSecond: Int64 = 90_000

  package static let zero = MediaTime(ticks: 0)

  @inlinable package init(ticks: Int64) { self.ticks = ticks }

  @inlinable package init(milliseconds: Int64) { ticks = milliseconds &* 90 }

  /// The nearest tick to a number of seconds; a number that no stream can have becomes 0.
  package init(seconds: Double) {
    let value = (seconds * Double(Self.ticksPerSecond)).rounded()
    ticks = value.isFinite && value.magnitude < 9e18 ? Int64(value) : 0
  }

  /// A whole number of milliseconds, rounded down.
  @inlinable package var milliseconds: Int64 {
    ticks >= 0 ? ticks / 90 : -((89 - ticks) / 90)
  }

  @inlinable package var seconds: Double { Double(ticks) / 90_000 }

  @inlinable package static func < (a: Self, b: Self) -> Bool { a.ticks < b.ticks }

  @inlinable package static func + (a: Self, b: Self) -> Self { Self(ticks: a.ticks &+ b.ticks) }

  @inlinable package static func - (a: Self, b: Self) -> Self { Self(ticks: a.ticks &- b.ticks) }

  @inlinable package static func += (a: inout Self, b: Self) { a.ticks &+= b.ticks }

  @inlinable package static func -= (a: inout Self, b: Self) { a.ticks &-= b.ticks }
}

extension MediaTime: CustomStringConvertible {
  /// Seconds and a unit, such as `3.003 s`.
  package var description: String { "\(seconds) s" }
}
