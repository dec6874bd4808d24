import ControlAPI
import HTTPSemantics
import HTTPServer
import Media
import Transcode
import Viewers

/// The qualities that a ladder has and a stream hasn't, with the reason: made anew only where that
/// is another one.
struct LackingRenditions {
  private let ladder: [LadderRung]
  private var made: (rungs: [Int], source: PictureSize?, renditions: [LackingRendition])?

  /// Makes none yet.
  ///
  /// - Parameter ladder: all the rungs that there may be.
  init(_ ladder: [LadderRung]) { self.ladder = ladder }

  /// Those that a stream lacks.
  ///
  /// - Parameters:
  ///   - rungs: that it has, by their places in the ladder.
  ///   - source: the size of its pictures, where that is known.
  /// - Returns: in the ladder's order.
  mutating func make(besides rungs: [Int], source: PictureSize?) -> [LackingRendition] {
    if ladder.isEmpty { return [] }
    if let made, made.rungs == rungs, made.source == source { return made.renditions }
    let there = ["source"] + rungs.map { ladder[$0].name }
    let renditions = ladder.indices.filter { !rungs.contains($0) }.map { index in
      LackingRendition(
        name: Array(ladder[index].name.utf8),
        response: Self.response(ladder[index], source, there.joined(separator: ", ")))
    }
    made = (rungs, source, renditions)
    return renditions
  }

  private static func response(
    _ rung: LadderRung, _ source: PictureSize?, _ there: String
  ) -> PreparedResponse {
    let box = LadderQuality(name: rung.name, width: rung.width, height: rung.height)
    guard let source, box.isAbove(width: source.width, height: source.height) else {
      return .error(
        404, code: "not_made",
        message: "This stream has no \(rung.name) now: its plan lacks it, or it has just begun. "
          + "It has \(there).")
    }
    return .error(
      404, code: "above_source",
      message:
        "This stream has no \(rung.name): its source is \(source.width)x\(source.height), and "
        + "nothing is made larger. It has \(there).")
  }
}
