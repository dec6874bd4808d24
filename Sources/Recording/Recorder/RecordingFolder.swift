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
    if unsafe mkdir(path, 0o750) != 0, errno != EEXIST { throw DiskError("mkdir", path) }
    let file = file(Self.labelName)
    guard !label.isEmpty, unsafe access(file, F_OK) != 0 else { return }
    try write(label, Self.labelName).get()
  }

  /// Writes a file whole, in place of what was there under its name.
  func write(_ bytes: [UInt8], _ name: String) -> Result<Void, DiskError> {
    do {
      try Data(bytes).write(to: URL(fileURLWithPath: file(name)), options: .atomic)
      return .success(())
    } catch {
      let room = DiskRoom.free(at: path) ?? .max
      return .failure(DiskError("write", file(name), room < bytes.count ? ENOSPC : EIO))
    }
  }

  /// What its label says; nil where it has none that can be read.
  var label: Label? {
    guard let data = FileManager.default.contents(atPath: file(Self.labelName)) else { return nil }
    return try? JSONDecoder().decode(Label.self, from: data)
  }

  /// The names of its parts, in their order: their names hold when each began.
  ///
  /// - Throws: `DiskError` where the folder isn't there, or can't be read.
  func parts() throws(DiskError) -> [String] {
    guard let folder = unsafe opendir(path) else { throw DiskError("opendir", path) }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    errno = 0
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasSuffix(".flv") { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw DiskError("readdir", path) }
    return names.sorted()
  }

  /// The size of a file of it; nil where there is none of that name.
  func bytes(of name: String) -> Int? {
    var information = stat()
    guard unsafe stat(file(name), &information) == 0 else { return nil }
    return Int(information.st_size)
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
