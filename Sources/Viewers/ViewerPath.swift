import HTTPSemantics
import Media

/// Where in a viewer's address its parts stand: `/hls/{wedding}[/{camera}[/{rendition}]]/{file}`.
///
/// Ranges of the path's bytes; nothing is copied.
struct ViewerPath: Equatable {
  let wedding: Range<Int>
  let camera: Range<Int>?
  let rendition: Range<Int>?
  let file: Range<Int>

  /// Takes a path apart; nil for any other shape: fewer or more parts, or an empty one.
  ///
  /// - Parameter path: decoded and normalised, without the query.
  init?(_ path: borrowing Span<UInt8>) {
    let prefix: StaticString = "/hls/"
    guard path.count > prefix.utf8CodeUnitCount else { return nil }
    for index in 0..<prefix.utf8CodeUnitCount {
      let expected = unsafe prefix.utf8Start[index]
      guard path[index] == expected else { return nil }
    }
    // At most four parts; the starts of those seen, and the end of the last.
    var first = 0..<0
    var second = 0..<0
    var third = 0..<0
    var parts = 0
    var start = prefix.utf8CodeUnitCount
    for index in start..<path.count where path[index] == UInt8(ascii: "/") {
      guard index > start else { return nil }
      switch parts {
      case 0: first = start..<index
      case 1: second = start..<index
      case 2: third = start..<index
      default: return nil
      }
      parts += 1
      start = index + 1
    }
    guard parts >= 1, start < path.count else { return nil }
    wedding = first
    camera = parts > 1 ? second : nil
    rendition = parts > 2 ? third : nil
    file = start..<path.count
  }

  /// The stream whose address it is; nil where no stream can have such a name.
  ///
  /// - Parameter path: that it was made from.
  /// - Returns: its wedding and its camera, `main` where the address names none.
  func key(in path: borrowing Span<UInt8>) -> StreamKey? {
    let name = String(copying: path.extracting(wedding))
    guard let camera else { return StreamKey(wedding: name) }
    return StreamKey(wedding: name, camera: String(copying: path.extracting(camera)))
  }
}
