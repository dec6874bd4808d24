import Access

/// What the cache calls a live segment: its path behind a word of its own, the same for all hosts.
///
/// As long as a wedding has one camera, its program has the very segments of that one, at addresses
/// of its own: both are one object, so that viewers of either find what was fetched for the other.
/// No two cameras ever have a segment of the same name.
enum LiveName {
  private static let prefix = Array("live".utf8)
  private static let program = Array("\(Claims.programCamera)/".utf8)
  private static let main = Array("\(Claims.mainCamera)/".utf8)

  /// Appends the name of what is at a path, `/hls/{wedding}/{camera}/{rendition}/{file}`.
  static func append(of path: borrowing Span<UInt8>, to name: inout [UInt8]) {
    name += prefix
    append(path, to: &name)
  }

  /// The same as a string.
  static func of(_ path: String) -> String {
    var name: [UInt8] = []
    append(of: Array(path.utf8).span, to: &name)
    return String(decoding: name, as: UTF8.self)
  }

  /// A path, or the beginning of one, as names have it.
  static func path(_ text: String) -> String {
    var path: [UInt8] = []
    append(Array(text.utf8).span, to: &path)
    return String(decoding: path, as: UTF8.self)
  }

  private static func append(_ path: borrowing Span<UInt8>, to name: inout [UInt8]) {
    var index = 0
    var slashes = 0
    while index < path.count, slashes < 3 {
      if path[index] == UInt8(ascii: "/") { slashes += 1 }
      name.append(path[index])
      index += 1
    }
    if slashes == 3, begins(path, at: index) {
      name += main
      index += program.count
    }
    while index < path.count {
      name.append(path[index])
      index += 1
    }
  }

  private static func begins(_ path: borrowing Span<UInt8>, at start: Int) -> Bool {
    guard path.count - start >= program.count else { return false }
    for offset in program.indices where path[start + offset] != program[offset] { return false }
    return true
  }
}
