/// A colour of BT.709 in limited range, as it stands in a picture.
package struct YUVColor: Equatable, Sendable {
  package var y: UInt8
  package var u: UInt8
  package var v: UInt8

  package init(y: UInt8, u: UInt8 = 128, v: UInt8 = 128) {
    self.y = y
    self.u = u
    self.v = v
  }

  /// The nearest colour to red, green and blue of 0...255.
  package init(red: Int, green: Int, blue: Int) {
    let r = Double(red) / 255
    let g = Double(green) / 255
    let b = Double(blue) / 255
    let luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
    y = UInt8((16 + 219 * luma).rounded())
    u = UInt8((128 + 224 * (b - luma) / 1.8556).rounded())
    v = UInt8((128 + 224 * (r - luma) / 1.5748).rounded())
  }
}

/// A rectangle of whole pixels with even corners, so that it covers whole chroma samples.
package struct PictureRect: Equatable, Sendable {
  package var x: Int
  package var y: Int
  package var width: Int
  package var height: Int

  /// Grows outward to even corners.
  package init(x: Int, y: Int, width: Int, height: Int) {
    self.x = x & ~1
    self.y = y & ~1
    self.width = (x + width + 1) & ~1 - self.x
    self.height = (y + height + 1) & ~1 - self.y
  }

  /// The part that lies inside a picture of this size; empty if there is none.
  package func clipped(width: Int, height: Int) -> PictureRect {
    let left = min(max(0, x), width)
    let top = min(max(0, y), height)
    let right = min(max(left, x + self.width), width)
    let bottom = min(max(top, y + self.height), height)
    return PictureRect(x: left, y: top, width: right - left, height: bottom - top)
  }
}

/// How much of each pixel a shape covers: 0...255, row by row.
package struct CoverageMask: Equatable, Sendable {
  package var width: Int
  package var height: Int
  package var alpha: [UInt8]

  package init(width: Int, height: Int) {
    self.width = width
    self.height = height
    alpha = [UInt8](repeating: 0, count: width * height)
  }

  /// Asks for every pixel's coverage, 0...1, at its centre.
  package init(width: Int, height: Int, coverage: (Double, Double) -> Double) {
    self.init(width: width, height: height)
    var index = 0
    for y in 0..<height {
      for x in 0..<width {
        let value = min(1, max(0, coverage(Double(x) + 0.5, Double(y) + 0.5)))
        alpha[index] = UInt8(value * 255)
        index += 1
      }
    }
  }

  /// A disc of this radius around a centre, with a soft edge of one pixel.
  package init(width: Int, height: Int, disc radius: Double, x centreX: Double, y centreY: Double) {
    self.init(width: width, height: height) { x, y in
      let dx = x - centreX
      let dy = y - centreY
      return radius + 0.5 - (dx * dx + dy * dy).squareRoot()
    }
  }
}

/// A picture of three 8-bit planes, chroma at half the width and height (YUV 4:2:0).
package struct YUVPicture: Sendable {
  /// Even, in pixels; each plane's rows follow each other without a gap.
  package let width: Int
  package let height: Int
  package var y: [UInt8]
  package var u: [UInt8]
  package var v: [UInt8]

  /// A picture in one colour; odd sizes are rounded down to even ones.
  package init(width: Int, height: Int, color: YUVColor = YUVColor(y: 16)) {
    self.width = max(2, width & ~1)
    self.height = max(2, height & ~1)
    y = [UInt8](repeating: color.y, count: self.width * self.height)
    u = [UInt8](repeating: color.u, count: self.width * self.height / 4)
    v = [UInt8](repeating: color.v, count: self.width * self.height / 4)
  }

  /// Fills a rectangle, clipped to the picture.
  package mutating func fill(_ rect: PictureRect, _ color: YUVColor) {
    let rect = rect.clipped(width: width, height: height)
    for row in rect.y..<rect.y + rect.height {
      let start = row * width + rect.x
      for index in start..<start + rect.width { y[index] = color.y }
    }
    for row in rect.y / 2..<(rect.y + rect.height) / 2 {
      let start = row * (width / 2) + rect.x / 2
      for index in start..<start + rect.width / 2 {
        u[index] = color.u
        v[index] = color.v
      }
    }
  }

  /// Copies a rectangle from a picture of the same size.
  package mutating func restore(_ rect: PictureRect, from other: YUVPicture) {
    guard other.width == width, other.height == height else { return }
    let rect = rect.clipped(width: width, height: height)
    for row in rect.y..<rect.y + rect.height {
      let start = row * width + rect.x
      for index in start..<start + rect.width { y[index] = other.y[index] }
    }
    for row in rect.y / 2..<(rect.y + rect.height) / 2 {
      let start = row * (width / 2) + rect.x / 2
      for index in start..<start + rect.width / 2 {
        u[index] = other.u[index]
        v[index] = other.v[index]
      }
    }
  }

  /// Lays a colour over the picture where a mask says so.
  ///
  /// - Parameters:
  ///   - mask: the coverage; what reaches beyond the picture is cut off.
  ///   - left: the mask's left edge.
  ///   - top: the mask's upper edge.
  ///   - color: what is laid over.
  ///   - opacity: 0...256; 256 covers wholly.
  package mutating func blend(
    _ mask: borrowing CoverageMask, x left: Int, y top: Int, _ color: YUVColor, opacity: Int = 256
  ) {
    let columns = max(0, left)..<max(max(0, left), min(left + mask.width, width))
    let rows = max(0, top)..<max(max(0, top), min(top + mask.height, height))
    for row in rows {
      let maskRow = (row - top) * mask.width - left
      for column in columns {
        let alpha = Int(mask.alpha[maskRow + column]) * opacity >> 8
        if alpha == 0 { continue }
        let index = row * width + column
        y[index] = Self.mix(y[index], color.y, alpha)
      }
    }
    // A chroma sample is covered as much as its four pixels are on average.
    for row in stride(from: rows.lowerBound & ~1, to: rows.upperBound, by: 2) {
      for column in stride(from: columns.lowerBound & ~1, to: columns.upperBound, by: 2) {
        var sum = 0
        for dy in max(row, top)..<min(row + 2, top + mask.height) {
          for dx in max(column, left)..<min(column + 2, left + mask.width) {
            sum += Int(mask.alpha[(dy - top) * mask.width + dx - left])
          }
        }
        let alpha = (sum >> 2) * opacity >> 8
        if alpha == 0 { continue }
        let index = row / 2 * (width / 2) + column / 2
        u[index] = Self.mix(u[index], color.u, alpha)
        v[index] = Self.mix(v[index], color.v, alpha)
      }
    }
  }

  /// Mixes two samples: `alpha` of 255 is all of the second.
  private static func mix(_ below: UInt8, _ above: UInt8, _ alpha: Int) -> UInt8 {
    UInt8((Int(below) * (255 - alpha) + Int(above) * alpha + 127) / 255)
  }

  /// The mean of a rectangle's luma; what a machine sees of a flash.
  package func meanLuma(_ rect: PictureRect) -> Double {
    let rect = rect.clipped(width: width, height: height)
    guard rect.width > 0, rect.height > 0 else { return 0 }
    var sum = 0
    for row in rect.y..<rect.y + rect.height {
      let start = row * width + rect.x
      for index in start..<start + rect.width { sum += Int(y[index]) }
    }
    return Double(sum) / Double(rect.width * rect.height)
  }
}
