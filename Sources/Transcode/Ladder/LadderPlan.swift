package import Media

/// Which rungs are made of a source, and how large.
///
/// The picture keeps its shape and is fitted into each rung's box. It is never made larger: a rung
/// that a source can't fill is left out, but the smallest is always made, at worst as large as the
/// source. The node and its worker plan alike, so both know the same sizes.
package struct LadderPlan: Equatable, Sendable {
  /// A rung that is made.
  package struct Entry: Equatable, Sendable {
    /// Its place among the rungs that were given: what the wire names it by.
    package var index: Int
    package var rung: LadderRung
    /// Of its pictures: even, at least 16 × 16, with square pixels.
    package var size: PictureSize
  }

  /// In the order in which the rungs were given.
  package let entries: [Entry]

  /// Plans.
  ///
  /// - Parameters:
  ///   - source: what is decoded, in pixels.
  ///   - aspect: width to height of one pixel of the source.
  ///   - rungs: what is wanted; one whose box is empty is never made.
  package init(
    source: PictureSize, pixelAspect aspect: (width: Int, height: Int) = (1, 1),
    rungs: [LadderRung]
  ) {
    let shown = Self.shown(source, aspect)
    let given = rungs.indices.filter { rungs[$0].width > 0 && rungs[$0].height > 0 }
    var entries = given.compactMap { index in
      Self.fitted(shown, into: rungs[index], mayFallShort: false)
        .map { Entry(index: index, rung: rungs[index], size: $0) }
    }
    if entries.isEmpty,
      let least = given.min(by: { rungs[$0].area < rungs[$1].area }),
      let size = Self.fitted(shown, into: rungs[least], mayFallShort: true)
    {
      entries = [Entry(index: least, rung: rungs[least], size: size)]
    }
    self.entries = entries
  }

  /// Plans for the pictures that a sequence parameter set announces.
  package init(_ picture: SequenceParameterSet, rungs: [LadderRung]) {
    self.init(
      source: PictureSize(width: picture.width, height: picture.height),
      pixelAspect: (picture.sampleAspect.width, picture.sampleAspect.height), rungs: rungs)
  }

  /// The entries from the largest picture to the smallest: each is scaled from the one before.
  package var cascade: [Entry] {
    entries.sorted { a, b in
      let (areaA, areaB) = (a.size.width * a.size.height, b.size.width * b.size.height)
      return areaA == areaB ? a.index < b.index : areaA > areaB
    }
  }

  /// The source with square pixels: one side is lengthened, none is cut down.
  private static func shown(
    _ source: PictureSize, _ aspect: (width: Int, height: Int)
  ) -> (width: Double, height: Double) {
    let width = Double(max(1, source.width))
    let height = Double(max(1, source.height))
    guard aspect.width > 0, aspect.height > 0 else { return (width, height) }
    let stretch = Double(aspect.width) / Double(aspect.height)
    // No camera has such pixels: a broken header shall not make ribbons.
    guard (0.1...10).contains(stretch) else { return (width, height) }
    return stretch >= 1 ? (width * stretch, height) : (width, height / stretch)
  }

  /// The even size at which a picture fits; nil if it would have to be made larger.
  private static func fitted(
    _ shown: (width: Double, height: Double), into rung: LadderRung, mayFallShort: Bool
  ) -> PictureSize? {
    let isPortrait = shown.height > shown.width
    let long = Double(max(rung.width, rung.height))
    let short = Double(min(rung.width, rung.height))
    let box = isPortrait ? (width: short, height: long) : (width: long, height: short)
    let scale = min(box.width / shown.width, box.height / shown.height)
    guard scale <= 1 || mayFallShort else { return nil }
    return PictureSize(
      width: even(shown.width * min(1, scale), atMost: min(box.width, shown.width)),
      height: even(shown.height * min(1, scale), atMost: min(box.height, shown.height)))
  }

  /// The nearest even number that isn't above a limit; at least 16, which every encoder takes.
  private static func even(_ value: Double, atMost limit: Double) -> Int {
    let nearest = 2 * Int((value / 2).rounded())
    // A hair more, since 1024 may have come out as 1023.9999.
    return max(16, min(nearest, 2 * Int((limit / 2 + 0.001).rounded(.down))))
  }
}
