import Foundation
import Glibc

/// The order of a recording's parts, and when each began: a line of JSON for each, beside them.
///
/// Their names can't tell: they hold the machine's own time, which is set back, and changes in
/// autumn. The record can't either, where it is lost or the process was killed before it was kept.
struct PartList: Sendable {
  /// What is said of a part.
  struct Line: Codable, Equatable, Sendable {
    var file: String
    /// Which of the recording's publishers it is of, counted from 0: what one has sent comes before
    /// what the next one has, though the disk may get it later.
    var run: Int
    /// When its first message came, in milliseconds since 1970.
    var started: Int64
  }

  static let name = "parts.jsonl"

  let path: String

  /// Adds a part; on disk when this returns.
  ///
  /// - Throws: `DiskError`; half a line may stand there then, which the next one doesn't continue.
  func append(_ line: Line) throws(DiskError) {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { throw DiskError("open", path) }
    defer { close(descriptor) }
    var bytes = Array(String(json: line).utf8) + [0x0A]
    let end = lseek(descriptor, 0, SEEK_END)
    var last: UInt8 = 0x0A
    if end > 0, unsafe pread(descriptor, &last, 1, end - 1) == 1, last != 0x0A {
      bytes.insert(0x0A, at: 0)
    }
    let problem = DiskWriting.write(bytes, to: descriptor)
    guard problem == 0 else { throw DiskError("write", path, problem) }
    guard fdatasync(descriptor) == 0 else { throw DiskError("fdatasync", path) }
  }

  /// What is said of the parts, in the order in which their files were made; lines that can't be
  /// read are passed over.
  var lines: [Line] {
    guard let data = FileManager.default.contents(atPath: path) else { return [] }
    return data.split(separator: 0x0A).compactMap { try? JSONDecoder().decode(Line.self, from: $0) }
  }
}
