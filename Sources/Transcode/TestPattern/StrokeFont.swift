/// A monoline typeface of our own: capitals, digits and signs drawn with a round pen.
///
/// Each glyph is a path on a grid of 4 by 6 units; it is turned into a bitmap once per size, so
/// text on a picture costs as much as copying its pixels.
package struct StrokeFont: Sendable {
  /// The height of a capital in pixels.
  package let height: Int
  /// Half of the pen's width, in pixels.
  private let pen: Double
  /// The gap between two glyphs, in grid units.
  private let spacing: Double
  private let unit: Double
  private var glyphs: [Character: Glyph] = [:]

  private struct Glyph {
    var mask: CoverageMask
    /// How far the next glyph's origin lies, in grid units, without the gap.
    var advance: Double
  }

  /// Draws every glyph at one size.
  ///
  /// - Parameters:
  ///   - height: of a capital, in pixels; less than 8 can't be read.
  ///   - weight: the pen's width in grid units, of which a capital has six.
  ///   - spacing: the gap between glyphs in grid units.
  package init(height: Int, weight: Double = 0.8, spacing: Double = 1.5) {
    self.height = height
    self.spacing = spacing
    unit = Double(height) / (6 + weight)
    pen = unit * weight / 2
    for (character, path) in StrokeGlyphs.paths {
      glyphs[character] = draw(StrokePath(path), isDigit: character.isNumber)
    }
  }

  /// How many pixels wide a text is.
  package func width(_ text: String) -> Int {
    var units = 0.0
    for character in text { units += advance(character) + spacing }
    return Int(((max(0, units - spacing)) * unit + 2 * pen).rounded(.up))
  }

  /// Draws a text; characters that the typeface lacks come out as a hollow box.
  ///
  /// - Parameters:
  ///   - text: one line; small letters are drawn as capitals.
  ///   - picture: what is drawn on.
  ///   - x: the left edge of the first glyph.
  ///   - y: the upper edge of a capital.
  ///   - color: the pen's colour.
  package func draw(
    _ text: String, on picture: inout YUVPicture, x: Int, y: Int, _ color: YUVColor
  ) {
    var units = 0.0
    for character in text {
      if let glyph = glyph(character) {
        let left = Double(x) + units * unit
        picture.blend(glyph.mask, x: Int(left.rounded()) - margin, y: y - margin, color)
      }
      units += advance(character) + spacing
    }
  }

  /// Draws a text around a vertical axis.
  package func drawCentred(
    _ text: String, on picture: inout YUVPicture, x: Int, y: Int, _ color: YUVColor
  ) {
    draw(text, on: &picture, x: x - width(text) / 2, y: y, color)
  }

  /// Free pixels around each mask, so that commas and underscores may leave the capital's box.
  private var margin: Int { Int((1.2 * unit).rounded(.up)) }

  private func glyph(_ character: Character) -> Glyph? {
    if character == " " { return nil }
    return glyphs[character] ?? glyphs[Character(character.uppercased().prefix(1).description)]
      ?? glyphs["\u{25A1}"]
  }

  private func advance(_ character: Character) -> Double { glyph(character)?.advance ?? 2 }

  private func draw(_ path: StrokePath, isDigit: Bool) -> Glyph {
    // Digits all have the same width, so that a clock stands still; others are as wide as drawn.
    let drawn = path.maximumX - path.minimumX
    let left = isDigit ? 0 : path.minimumX - max(0, 0.5 - drawn) / 2
    let advance = isDigit ? 4 : max(0.5, drawn)
    let margin = Double(margin)
    let mask = CoverageMask(
      width: Int((advance * unit + 2 * pen + 2 * margin).rounded(.up)) + 1,
      height: Int((6 * unit + 2 * pen + 2 * margin).rounded(.up)) + 1
    ) { x, y in
      let gridX = (x - margin - pen) / unit + left
      let gridY = (y - margin - pen) / unit
      return pen + 0.5 - path.distance(x: gridX, y: gridY) * unit
    }
    return Glyph(mask: mask, advance: advance)
  }
}

/// Straight pieces that approximate a glyph's lines and curves.
struct StrokePath {
  private var segments: [(x0: Double, y0: Double, x1: Double, y1: Double)] = []
  private(set) var minimumX = Double.infinity
  private(set) var maximumX = -Double.infinity

  /// Reads `M x y` (move), `L x y` (line) and `Q cx cy x y` (quadratic curve).
  init(_ text: String) {
    var x = 0.0
    var y = 0.0
    var words = text.split(separator: " ")[...]
    func number() -> Double { words.popFirst().flatMap { Double($0) } ?? 0 }
    while let command = words.popFirst() {
      switch command {
      case "M":
        (x, y) = (number(), number())
      case "Q":
        let (fromX, fromY, controlX, controlY) = (x, y, number(), number())
        let (toX, toY) = (number(), number())
        for step in 1...8 {
          let t = Double(step) / 8
          let s = 1 - t
          line(
            &x, &y, s * s * fromX + 2 * s * t * controlX + t * t * toX,
            s * s * fromY + 2 * s * t * controlY + t * t * toY)
        }
      default:
        line(&x, &y, number(), number())
      }
    }
    if segments.isEmpty { (minimumX, maximumX) = (0, 4) }
  }

  private mutating func line(_ x: inout Double, _ y: inout Double, _ toX: Double, _ toY: Double) {
    segments.append((x, y, toX, toY))
    minimumX = min(minimumX, x, toX)
    maximumX = max(maximumX, x, toX)
    (x, y) = (toX, toY)
  }

  /// The distance to the nearest piece, in grid units.
  func distance(x: Double, y: Double) -> Double {
    var nearest = Double.infinity
    for piece in segments {
      let dx = piece.x1 - piece.x0
      let dy = piece.y1 - piece.y0
      let length = dx * dx + dy * dy
      let along = length == 0 ? 0 : ((x - piece.x0) * dx + (y - piece.y0) * dy) / length
      let t = min(1, max(0, along))
      let awayX = x - piece.x0 - t * dx
      let awayY = y - piece.y0 - t * dy
      nearest = min(nearest, awayX * awayX + awayY * awayY)
    }
    return nearest.squareRoot()
  }
}
