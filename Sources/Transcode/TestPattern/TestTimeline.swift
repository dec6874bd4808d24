/// How many pictures a second has, as a fraction: 30000/1001 for NTSC's.
package struct FrameRate: Equatable, Hashable, Sendable, CustomStringConvertible {
  /// Both are at least 1.
  package let numerator: Int64
  package let denominator: Int64

  package init(_ numerator: Int64, per denominator: Int64 = 1) {
    self.numerator = max(1, numerator)
    self.denominator = max(1, denominator)
  }

  /// Reads `30`, `29.97` (as 30000/1001), `12.5` or `30000/1001`.
  ///
  /// - Returns: nil if it isn't a rate of 1...240.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    if parts.count == 2, let above = Int64(parts[0]), let below = Int64(parts[1]) {
      guard (1...1_000_000).contains(below), above >= below, above <= 240 * below else {
        return nil
      }
      self.init(above, per: below)
    } else if parts.count == 1, let rate = Double(text), rate >= 1, rate <= 240 {
      let ntsc = (rate * 1.001).rounded()
      if rate != rate.rounded(), abs(ntsc / 1.001 - rate) < 0.006 {
        self.init(Int64(ntsc) * 1000, per: 1001)
      } else {
        self.init(Int64((rate * 1000).rounded()), per: 1000)
      }
    } else {
      return nil
    }
  }

  package var perSecond: Double { Double(numerator) / Double(denominator) }

  /// When a frame is shown, in units of `scale` per second, rounded to the nearest: errors don't
  /// add up.
  package func time(ofFrame index: Int64, scale: Int64) -> Int64 {
    (index * denominator * scale * 2 + numerator) / (2 * numerator)
  }

  /// Such as `30` or `29.97`.
  package var description: String {
    if numerator % denominator == 0 { return "\(numerator / denominator)" }
    let hundredths = Int((perSecond * 100).rounded())
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
  }
}

/// What the clock of a test picture shows, and when its seconds begin.
///
/// The first frame need not lie at the start of a second: so the clock can be the wall clock's,
/// and picture and tone mark the same moments.
package struct TestTimeline: Equatable, Sendable {
  package let rate: FrameRate
  /// The second of the day, 0..<86400, of the first frame.
  package let startSecond: Int64
  /// The first frame's number within its second.
  package let startFrame: Int64

  package init(rate: FrameRate = FrameRate(30), startSecond: Int64 = 0, startFrame: Int64 = 0) {
    self.rate = rate
    self.startSecond = (startSecond % 86_400 + 86_400) % 86_400
    self.startFrame = max(0, startFrame)
  }

  /// A clock that shows a time of day, to the nearest frame.
  package init(rate: FrameRate, timeOfDay seconds: Double) {
    let whole = seconds.rounded(.down)
    let frames = ((seconds - whole) * rate.perSecond).rounded(.down)
    self.init(rate: rate, startSecond: Int64(whole), startFrame: Int64(frames))
  }

  /// Where one frame lies.
  package struct Position: Equatable, Sendable {
    /// Seconds since the start of the second in which the first frame lies.
    package var second: Int64
    /// 0 for the first frame of a second.
    package var frameInSecond: Int64
    /// How much of the second is over, 0..<1.
    package var fraction: Double
    /// Whether the beep sounds: in the first tenth of a second.
    package var isMarked: Bool
  }

  /// Where a frame lies; the stream's first frame is 0.
  package func position(ofFrame index: Int64) -> Position {
    let frame = index + startFrame
    let second = frame * rate.denominator / rate.numerator
    let first = (second * rate.numerator + rate.denominator - 1) / rate.denominator
    let rest = frame * rate.denominator - second * rate.numerator
    return Position(
      second: second, frameInSecond: frame - first,
      fraction: Double(rest) / Double(rate.numerator),
      isMarked: frame == first || rest * 10 < rate.numerator)
  }

  /// Samples between the start of the first second and the first sample of the stream.
  package func startSample(sampleRate: Int64) -> Int64 {
    rate.time(ofFrame: startFrame, scale: sampleRate)
  }

  /// `HH:MM:SS.FF` of a frame.
  package func clock(_ position: Position) -> String {
    let second = (startSecond + position.second) % 86_400
    return [second / 3600, second / 60 % 60, second % 60].map(Self.two).joined(separator: ":")
      + "." + Self.two(position.frameInSecond)
  }

  private static func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
