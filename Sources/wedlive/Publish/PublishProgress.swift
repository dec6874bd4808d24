import EventLoop
import Media

/// The line that tells how publishing goes.
struct PublishProgress: Sendable {
  private var last: (time: MonotonicTime, counts: PublishCounts)?
  /// Smoothed, as a person reads it.
  private var framesPerSecond = 0.0
  private var bitsPerSecond = 0.0

  init() {}

  /// The line for the counts of this moment.
  mutating func line(_ counts: PublishCounts, at now: MonotonicTime) -> String {
    if let last, case let seconds = Double((now - last.time).nanoseconds) / 1e9, seconds > 0 {
      let frames = Double(counts.frames - last.counts.frames) / seconds
      let bits = Double(counts.sentBytes - last.counts.sentBytes) * 8 / seconds
      let weight = framesPerSecond == 0 ? 1.0 : 0.35
      framesPerSecond += (frames - framesPerSecond) * weight
      bitsPerSecond += (bits - bitsPerSecond) * weight
    }
    last = (now, counts)
    var line = Self.clock(counts.time)
    line += "  \(Self.fixed(framesPerSecond, 1)) fps"
    line += "  \(Self.fixed(bitsPerSecond / 1e6, 2)) Mbit/s"
    line += "  sent \(Self.size(counts.sentBytes))"
    if counts.waitingBytes > 256 << 10 {
      line += "  waiting \(Self.size(UInt64(counts.waitingBytes)))"
    }
    return line
  }

  /// `0:00:07`.
  static func clock(_ time: MediaTime) -> String {
    let seconds = max(0, time.milliseconds / 1_000)
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(seconds / 3_600):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
  }

  static func size(_ bytes: UInt64) -> String {
    bytes < 1 << 20
      ? "\(bytes >> 10) KiB" : "\(fixed(Double(bytes) / Double(1 << 20), 1)) MiB"
  }

  /// A number with that many decimals.
  static func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite, value.magnitude < 1e12 else { return "0" }
    let scale = decimals == 1 ? 10.0 : 100.0
    let scaled = Int64((value.magnitude * scale).rounded())
    let rest = "\(scaled % Int64(scale))"
    let padded = String(repeating: "0", count: decimals - rest.count) + rest
    return (value < 0 && scaled > 0 ? "-" : "") + "\(scaled / Int64(scale)).\(padded)"
  }
}
