import Foundation

/// Whether a file can be read, and why not.
enum ReadableFile {
  /// Looks for why a path can't be read as a file.
  ///
  /// - Parameters:
  ///   - path: of the file.
  ///   - isRegular: whether it has to be one that can be read again and again: a pipe would block
  ///     whoever reads it.
  /// - Returns: what is wrong, in words; nil where nothing is.
  static func problem(_ path: String, isRegular: Bool = false) -> String? {
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      return "there is no such file"
    }
    if isFolder.boolValue { return "is a folder, not a file" }
    if isRegular, !Self.isRegular(path) { return "is no regular file" }
    guard FileManager.default.isReadableFile(atPath: path) else {
      return "this user may not read it"
    }
    return nil
  }

  /// Whether a path ends, over links, at a regular file.
  private static func isRegular(_ path: String) -> Bool {
    let place = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let type = try? FileManager.default.attributesOfItem(atPath: place)[.type] as? FileAttributeType
    return type == .typeRegular
  }

  /// The text of a file.
  ///
  /// - Throws: where it can't be read.
  static func contents(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
  }
}
