import Foundation
import Glibc

/// One recording's folder: its parts as they were received, what is made of them, and a label.
struct RecordingFolder: Sendable {
  /// What stands in the label: whose recording it is, for when the records are lost.
  struct Label: Codable, Equatable, Sendable {
    var id: String
    var wedding: String
    var camera: String
    var quality: String
    var plan: String?
    var started: Int64

    var bytes: [UInt8] {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return Array((try? encoder.encode(self)) ?? Data())
    }
  }

  private static let labelName = "recording.json"

  let path: String

  init(_ path: String) { self.path = path }

  /// Where a file of it stands.
  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Makes the folder and writes its label, where they are not there.
  func label(_ label: [UInt8]) throws(DiskError) {
    if unsafe mkdir(path, 0o750) == 0 {
      DiskWriting.syncFolder(of: path)
    } else if errno != EEXIST {
      throw DiskError("mkdir", path)
    }
    let file = file(Self.labelName)
    guard !label.isEmpty, unsafe access(file, F_OK) != 0 else { return }
    try DiskWriting.replace(file, with: label)
  }

  /// Writes a file whole, in place of what was there under its name.
  func write(_ bytes: [UInt8], _ name: String) throws(DiskError) {
    try DiskWriting.replace(file(name), with: bytes)
  }

  /// What its label says; nil where it has none that can be read.
  var label: Label? {
    guard let data = FileManager.default.contents(atPath: file(Self.labelName)) else { return nil }
    return try? JSONDecoder().decode(Label.self, from: data)
  }

  /// The order of its parts, and when each began.
  var list: PartList { PartList(path: file(PartList.name)) }

  /// The names of its parts, in no order.
  ///
  /// - Throws: `DiskError` where the folder isn't there, or can't be read.
  func parts() throws(DiskError) -> Set<String> {
    guard let folder = unsafe opendir(path) else { throw DiskError("opendir", path) }
    defer { unsafe closedir(folder) }
    var names: Set<String> = []
    errno = 0
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasSuffix(".flv") { names.insert(name) }
      errno = 0
    }
    guard errno == 0 else { throw DiskError("readdir", path) }
    return names
  }

  /// The size of a file of it; nil where there is none of that name.
  func bytes(of name: String) -> Int? { status(of: name).map { Int($0.st_size) } }

  /// When a file of it was written last, in milliseconds since 1970; nil where there is none.
  func written(_ name: String) -> Int64? {
    status(of: name).map {
      Int64($0.st_mtim.tv_sec) * 1_000 + Int64($0.st_mtim.tv_nsec) / 1_000_000
    }
  }

  private func status(of name: String) -> stat? {
    var information = stat()
    return unsafe stat(file(name), &information) == 0 ? information : nil
  }

  /// Deletes it and all that is in it; one that isn't there is no error.
  func remove() throws(DiskError) {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      if unsafe access(path, F_OK) == 0 { throw DiskError("delete", path, EIO) }
    }
  }

  /// Deletes files of it; those that aren't there are no error.
  func remove(_ names: [String]) throws(DiskError) {
    for name in names where unsafe unlink(file(name)) != 0 && errno != ENOENT {
      throw DiskError("delete", file(name))
    }
  }
}
