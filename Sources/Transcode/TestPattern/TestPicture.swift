/// A moving test card: colour bars, a clock, a sweeping second, a heart that beats with the tone.
///
/// What can be judged by eye: colours (75 % bars), the grey scale (eleven steps), smooth motion
/// (the sweep and the slider), lost or doubled frames (the counter), latency (the clock is the
/// wall clock's), and sound against picture (at each beep the heart and the ring flash and the
/// slider stands on its middle mark).
///
/// The card is drawn once; each frame redraws only what moves, so its cost is small.
package struct TestPicture: Sendable {
  package let timeline: TestTimeline
  package let layout: TestPictureLayout
  /// The last frame drawn.
  package private(set) var picture: YUVPicture
  /// What stands still; a dot is lit on it as each second ends.
  private var card: YUVPicture
  private let clockFont: StrokeFont
  private let counterFont: StrokeFont
  private let ring: RingSweep
  private let lamp: CoverageMask
  private var litSecond: Int64 = -1

  /// Draws the card.
  ///
  /// - Parameters:
  ///   - width: in pixels, made even; at least 160.
  ///   - height: in pixels, made even; at least 90.
  ///   - timeline: the clock.
  ///   - title: the stream's name.
  ///   - details: one line about the encoding.
  package init(
    width: Int, height: Int, timeline: TestTimeline, title: String, details: String = ""
  ) {
    self.timeline = timeline
    layout = TestPictureLayout(width: max(160, width & ~1), height: max(90, height & ~1))
    card = TestCard.draw(layout, title: title, details: details)
    clockFont = StrokeFont(height: layout.scaled(53), weight: 0.85, spacing: 1.4)
    counterFont = StrokeFont(height: layout.scaled(24), weight: 0.8)
    ring = RingSweep(layout)
    let size = layout.scaled(32)
    lamp = CoverageMask(
      width: size, height: size, disc: Double(layout.scaled(11)), x: Double(size) / 2,
      y: Double(size) / 2)
    picture = card
  }

  /// Draws one frame into `picture`.
  package mutating func draw(frame index: Int64) {
    let position = timeline.position(ofFrame: index)
    lightSecond(position.second)
    for area in layout.moving { picture.restore(area, from: card) }
    drawRing(position)
    drawHeart(position)
    clockFont.drawCentred(
      timeline.clock(position), on: &picture, x: layout.centreX, y: layout.clockY, Palette.white)
    let digits = String(index)
    counterFont.drawCentred(
      "FRAME " + String(repeating: "0", count: max(0, 7 - digits.count)) + digits, on: &picture,
      x: layout.centreX, y: layout.counterY, Palette.soft)
    drawSlider(position)
  }

  private mutating func drawRing(_ position: TestTimeline.Position) {
    let flash = position.isMarked
    ring.draw(
      on: &picture, upTo: flash ? 1 : position.fraction,
      flash ? Palette.white : Palette.rose)
    guard !flash else { return }
    let (x, y) = layout.onCircle(radius: layout.ringRadius, fraction: position.fraction)
    dot(x: x, y: y, radius: Double(layout.scaled(10)), Palette.white)
  }

  private mutating func drawHeart(_ position: TestTimeline.Position) {
    // It swells at once and comes back like a beat; the exponential is e^(-5t), by squaring.
    let decay = 1 - 5 * position.fraction / 64
    var beat = decay
    for _ in 0..<6 { beat *= beat }
    let size = Double(layout.heart.height) * (0.62 + 0.28 * beat)
    let mask = TestCard.heart(
      width: layout.heart.width, height: layout.heart.height, size: size)
    picture.blend(
      mask, x: layout.heart.x, y: layout.heart.y,
      position.isMarked ? Palette.white : Palette.rose)
  }

  private mutating func drawSlider(_ position: TestTimeline.Position) {
    let fraction = position.fraction
    let offset = fraction < 0.5 ? fraction : fraction - 1
    let x = Double(layout.sliderX) + offset * Double(layout.sliderWidth)
    dot(
      x: x, y: Double(layout.sliderY), radius: Double(layout.scaled(9)),
      position.isMarked ? Palette.white : Palette.rose)
    if position.isMarked {
      picture.blend(
        lamp, x: layout.lampX - lamp.width / 2, y: layout.lampY - lamp.height / 2, Palette.white)
    }
  }

  private mutating func dot(x: Double, y: Double, radius: Double, _ color: YUVColor) {
    let left = Int(x - radius - 1) & ~1
    let top = Int(y - radius - 1) & ~1
    let size = Int(2 * radius) + 5
    picture.blend(
      CoverageMask(
        width: size, height: size, disc: radius, x: x - Double(left), y: y - Double(top)),
      x: left, y: top, color)
  }

  /// Lights the dots of the minute up to now; at a new minute all go dark again.
  private mutating func lightSecond(_ second: Int64) {
    guard second != litSecond else { return }
    let now = (timeline.startSecond + second) % 60
    let isNext = litSecond >= 0 && second == litSecond + 1 && now != 0
    litSecond = second
    for dot in isNext ? now...now : 0...59 {
      TestCard.drawSecondDot(Int(dot), isLit: dot <= now, on: &card, layout)
      picture.restore(layout.secondDot(Int(dot)), from: card)
    }
  }
}

/// The colours of the card.
enum Palette {
  static let white = YUVColor(red: 255, green: 255, blue: 255)
  static let soft = YUVColor(red: 190, green: 198, blue: 216)
  static let dim = YUVColor(red: 112, green: 122, blue: 146)
  static let faint = YUVColor(red: 52, green: 58, blue: 78)
  static let night = YUVColor(red: 15, green: 17, blue: 30)
  static let rose = YUVColor(red: 255, green: 92, blue: 122)
}
