/// The parts of a test picture that stand still.
enum TestCard {
  static func draw(_ layout: TestPictureLayout, title: String, details: String) -> YUVPicture {
    var card = YUVPicture(width: layout.width, height: layout.height, color: Palette.night)
    drawBars(on: &card, layout)
    drawStairs(on: &card, layout)
    drawDisc(on: &card, layout)
    drawPanel(on: &card, layout, title: title, details: details)
    return card
  }

  /// The 75 % bars of SMPTE and EBU: white, yellow, cyan, green, magenta, red, blue.
  private static func drawBars(on card: inout YUVPicture, _ layout: TestPictureLayout) {
    let on = 191
    let bars = [
      (on, on, on), (on, on, 0), (0, on, on), (0, on, 0), (on, 0, on), (on, 0, 0), (0, 0, on),
    ]
    for (index, (red, green, blue)) in bars.enumerated() {
      let left = layout.width * index / bars.count & ~1
      let right = index + 1 == bars.count ? layout.width : layout.width * (index + 1) / bars.count
      card.fill(
        PictureRect(x: left, y: 0, width: right - left, height: layout.stairsY),
        YUVColor(red: red, green: green, blue: blue))
    }
  }

  /// Eleven steps from black to white, each 10 % of the range.
  private static func drawStairs(on card: inout YUVPicture, _ layout: TestPictureLayout) {
    for step in 0...10 {
      let left = layout.width * step / 11 & ~1
      let right = step == 10 ? layout.width : layout.width * (step + 1) / 11
      card.fill(
        PictureRect(
          x: left, y: layout.stairsY, width: right - left,
          height: layout.panelY - layout.stairsY),
        YUVColor(y: UInt8(16 + 219 * step / 10)))
    }
  }

  private static func drawDisc(on card: inout YUVPicture, _ layout: TestPictureLayout) {
    let radius = layout.discRadius
    let size = 2 * Int(radius) + 4
    let left = layout.centreX - size / 2
    let top = layout.centreY - size / 2
    let centreX = Double(layout.centreX - left)
    let centreY = Double(layout.centreY - top)
    card.blend(
      CoverageMask(width: size, height: size, disc: radius, x: centreX, y: centreY), x: left,
      y: top, Palette.night)
    // The ring's bed, on which the second sweeps.
    let half = layout.ringWidth / 2
    let bed = CoverageMask(width: size, height: size) { x, y in
      let dx = x - centreX
      let dy = y - centreY
      return half + 0.5 - abs((dx * dx + dy * dy).squareRoot() - layout.ringRadius)
    }
    card.blend(bed, x: left, y: top, Palette.faint)
    for second in 0..<60 { drawSecondDot(second, isLit: false, on: &card, layout) }
    StrokeFont(height: layout.scaled(18), weight: 0.9, spacing: 3.2).drawCentred(
      "WEDLIVE", on: &card, x: layout.centreX, y: layout.wordmarkY, Palette.dim)
  }

  static func drawSecondDot(
    _ second: Int, isLit: Bool, on card: inout YUVPicture, _ layout: TestPictureLayout
  ) {
    let box = layout.secondDot(second)
    let (x, y) = layout.onCircle(radius: layout.dotsRadius, fraction: Double(second) / 60)
    card.blend(
      CoverageMask(
        width: box.width, height: box.height, disc: layout.secondDotRadius(second),
        x: x - Double(box.x), y: y - Double(box.y)),
      x: box.x, y: box.y, isLit ? Palette.white : Palette.faint)
  }

  private static func drawPanel(
    on card: inout YUVPicture, _ layout: TestPictureLayout, title: String, details: String
  ) {
    card.fill(
      PictureRect(
        x: 0, y: layout.panelY, width: layout.width, height: layout.height - layout.panelY),
      Palette.night)
    let left = layout.scaled(48)
    let sliderLeft = layout.sliderX - layout.sliderWidth / 2
    let room = sliderLeft - left - layout.scaled(40)
    let small = StrokeFont(height: layout.scaled(17), weight: 0.85)
    drawFitting(
      title, StrokeFont(height: layout.scaled(38), weight: 0.8), room: room, on: &card, x: left,
      y: layout.panelY + layout.scaled(38), Palette.white)
    drawFitting(
      details, small, room: room, on: &card, x: left, y: layout.panelY + layout.scaled(98),
      Palette.dim)
    drawScale(on: &card, layout)
  }

  /// The slider's scale: half a second either way in tenths, named at its ends.
  private static func drawScale(on card: inout YUVPicture, _ layout: TestPictureLayout) {
    let line = max(2, layout.scaled(2))
    card.fill(
      PictureRect(
        x: layout.sliderX - layout.sliderWidth / 2, y: layout.sliderY - line / 2,
        width: layout.sliderWidth, height: line),
      Palette.faint)
    for tenth in -5...5 {
      let x = layout.sliderX + layout.sliderWidth * tenth / 10
      let reach = layout.scaled(tenth == 0 ? 16 : tenth.magnitude == 5 ? 12 : 7)
      card.fill(
        PictureRect(x: x - line / 2, y: layout.sliderY - reach, width: line, height: 2 * reach),
        tenth == 0 ? Palette.soft : Palette.faint)
    }
    let font = StrokeFont(height: layout.scaled(14), weight: 0.9)
    let y = layout.sliderY + layout.scaled(28)
    let half = layout.sliderWidth / 2
    font.drawCentred("\u{2212}500", on: &card, x: layout.sliderX - half, y: y, Palette.dim)
    font.drawCentred("+500", on: &card, x: layout.sliderX + half, y: y, Palette.dim)
    font.drawCentred("0", on: &card, x: layout.sliderX, y: y, Palette.dim)
    let label = "SOUND / PICTURE, MS"
    font.draw(
      label, on: &card, x: layout.sliderX - half, y: layout.lampY - layout.scaled(7), Palette.dim)
  }

  /// Draws a text, with dots in place of what does not fit.
  private static func drawFitting(
    _ text: String, _ font: StrokeFont, room: Int, on card: inout YUVPicture, x: Int, y: Int,
    _ color: YUVColor
  ) {
    var fitting = text
    while !fitting.isEmpty, font.width(fitting == text ? text : fitting + "..") > room {
      fitting.removeLast()
    }
    font.draw(fitting == text ? text : fitting + "..", on: &card, x: x, y: y, color)
  }

  /// A heart in the middle of a box, `size` pixels wide.
  ///
  /// Two discs above a square that stands on its corner, each by its distance to the edge.
  static func heart(width: Int, height: Int, size: Double) -> CoverageMask {
    let side = size / 1.7071
    let half = side / 2
    let root = 0.70710678
    let middle = Double(width) / 2
    // The shape reaches from the discs' top to the square's lower corner: centre that.
    let squareY = Double(height) / 2 + half * (root + 1 - 2 * root) / 2 + half * 0.1
    return CoverageMask(width: width, height: height) { x, y in
      let dx = abs(x - middle)
      let dy = y - squareY
      let along = (dx + dy) * root
      let across = (dx - dy) * root
      let square = max(abs(along), abs(across)) - half
      let discX = dx - half * root
      let discY = dy + half * root
      let disc = (discX * discX + discY * discY).squareRoot() - half
      return 0.5 - min(square, disc)
    }
  }
}
