import Foundation

/// Whether a file can be read, and why not.
enum ReadableFile {
  /// Why a path can't be read as a file; nil where it can.
  static func problem(_ path: String) -> String? {
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      return "there is no such file"
    }
    if isFolder.boolValue { return "is a folder, not a file" }
    guard FileManager.default.isReadableFile(atPath: path) else {
      return "this user may not read it"
    }
    return nil
  }
}
