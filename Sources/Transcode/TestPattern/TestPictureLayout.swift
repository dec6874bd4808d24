#if canImport(Glibc)
  import Glibc
#endif

/// Where everything stands on a test card of some size: measured at 1280 × 720 and scaled.
package struct TestPictureLayout: Equatable, Sendable {
  package let width: Int
  package let height: Int
  private let scale: Double

  package init(width: Int, height: Int) {
    self.width = width
    self.height = height
    // Upright pictures are as wide as they can show; the rest is more colour above and below.
    scale = min(Double(height) / 720, Double(width) / 1280)
  }

  /// A length at 1280 × 720 in this picture's pixels, at least 1.
  func scaled(_ length: Int) -> Int { max(1, Int((Double(length) * scale).rounded())) }

  /// The upper edge of the dark panel.
  var panelY: Int { height - scaled(152) & ~1 }
  var stairsY: Int { panelY - scaled(30) & ~1 }
  var centreX: Int { width / 2 }
  var centreY: Int { stairsY / 2 }

  var discRadius: Double { Double(scaled(250)) }
  var ringRadius: Double { Double(scaled(232)) }
  var ringWidth: Double { Double(scaled(9)) }
  var dotsRadius: Double { Double(scaled(207)) }

  var clockY: Int { centreY - scaled(20) }
  var counterY: Int { centreY + scaled(72) }
  var wordmarkY: Int { centreY + scaled(142) }

  /// The box in which the heart beats.
  var heart: PictureRect {
    let side = scaled(104)
    return PictureRect(
      x: centreX - side / 2, y: centreY - scaled(164), width: side, height: side)
  }

  /// The part of the heart that is always covered: bright while the beep sounds, else not.
  package var flashArea: PictureRect {
    let side = max(2, scaled(20))
    return PictureRect(
      x: heart.x + heart.width / 2 - side / 2, y: heart.y + heart.height / 2 - side / 2,
      width: side, height: side)
  }

  var sliderX: Int { width - scaled(322) }
  var sliderWidth: Int { scaled(500) }
  var sliderY: Int { panelY + scaled(76) }
  var lampX: Int { sliderX }
  var lampY: Int { panelY + scaled(34) }

  /// The boxes that a frame redraws.
  var moving: [PictureRect] {
    let out = Int(ringRadius) + scaled(16)
    let side = 2 * out
    let band = scaled(36)
    let inner = Int(Double(out) * 0.62)
    return [
      // The ring's box, without the square inside it that holds the rest.
      PictureRect(x: centreX - out, y: centreY - out, width: side, height: out - inner),
      PictureRect(x: centreX - out, y: centreY + inner, width: side, height: out - inner),
      PictureRect(x: centreX - out, y: centreY - inner, width: out - inner, height: 2 * inner),
      PictureRect(x: centreX + inner, y: centreY - inner, width: out - inner, height: 2 * inner),
      heart,
      PictureRect(
        x: centreX - scaled(198), y: clockY - scaled(8), width: scaled(396),
        height: scaled(70)),
      PictureRect(
        x: centreX - scaled(160), y: counterY - scaled(4), width: scaled(320),
        height: scaled(34)),
      PictureRect(
        x: sliderX - sliderWidth / 2 - band / 2, y: sliderY - band / 2,
        width: sliderWidth + band, height: band),
      PictureRect(
        x: lampX - band / 2, y: lampY - band / 2, width: band, height: band),
    ]
  }

  /// A point on a circle around the centre; 0 is above, and it turns clockwise.
  func onCircle(radius: Double, fraction: Double) -> (x: Double, y: Double) {
    let angle = fraction * 2 * Double.pi
    return (Double(centreX) + radius * sin(angle), Double(centreY) - radius * cos(angle))
  }

  /// The box of one of the sixty dots.
  func secondDot(_ second: Int) -> PictureRect {
    let (x, y) = onCircle(radius: dotsRadius, fraction: Double(second) / 60)
    let reach = Int(secondDotRadius(second)) + 2
    return PictureRect(
      x: Int(x) - reach, y: Int(y) - reach, width: 2 * reach + 1, height: 2 * reach + 1)
  }

  /// Every fifth is larger.
  func secondDotRadius(_ second: Int) -> Double {
    max(0.8, (second % 5 == 0 ? 4.5 : 2.6) * scale)
  }
}
