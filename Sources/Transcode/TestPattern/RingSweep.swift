#if canImport(Glibc)
  import Glibc
#endif

/// The pixels of a ring in the order in which a hand passes over them, worked out once.
///
/// A frame then costs as many writes as the swept part has pixels.
struct RingSweep: Sendable {
  private struct Sample {
    var turn: Float
    var index: Int32
    var alpha: UInt8
  }

  private let luma: [Sample]
  private let chroma: [Sample]

  init(_ layout: TestPictureLayout) {
    luma = Self.samples(layout, step: 1)
    chroma = Self.samples(layout, step: 2)
  }

  private static func samples(_ layout: TestPictureLayout, step: Int) -> [Sample] {
    let reach = Int(layout.ringRadius + layout.ringWidth) + 2
    let middle = Double(step) / 2
    var samples: [Sample] = []
    let rows = max(0, layout.centreY - reach)..<min(layout.height, layout.centreY + reach)
    let columns = max(0, layout.centreX - reach)..<min(layout.width, layout.centreX + reach)
    for y in stride(from: rows.lowerBound & ~1, to: rows.upperBound, by: step) {
      for x in stride(from: columns.lowerBound & ~1, to: columns.upperBound, by: step) {
        let dx = Double(x) + middle - Double(layout.centreX)
        let dy = Double(y) + middle - Double(layout.centreY)
        let away = abs((dx * dx + dy * dy).squareRoot() - layout.ringRadius)
        let coverage = min(1, layout.ringWidth / 2 + 0.5 - away)
        if coverage <= 0 { continue }
        let turn = atan2(dx, -dy) / (2 * Double.pi)
        samples.append(
          Sample(
            turn: Float(turn < 0 ? turn + 1 : turn),
            index: Int32(y / step * (layout.width / step) + x / step),
            alpha: UInt8(coverage * 255)))
      }
    }
    return samples.sorted { $0.turn < $1.turn }
  }

  /// Lays a colour over the ring from above to `fraction` of a turn.
  func draw(on picture: inout YUVPicture, upTo fraction: Double, _ color: YUVColor) {
    let end = Float(fraction)
    for sample in luma {
      if sample.turn > end { break }
      let index = Int(sample.index)
      picture.y[index] = Self.mix(picture.y[index], color.y, Int(sample.alpha))
    }
    for sample in chroma {
      if sample.turn > end { break }
      let index = Int(sample.index)
      picture.u[index] = Self.mix(picture.u[index], color.u, Int(sample.alpha))
      picture.v[index] = Self.mix(picture.v[index], color.v, Int(sample.alpha))
    }
  }

  private static func mix(_ below: UInt8, _ above: UInt8, _ alpha: Int) -> UInt8 {
    UInt8((Int(below) * (255 - alpha) + Int(above) * alpha + 127) / 255)
  }
}
