import Foundation
import Glibc

/// The files of a segment archive: some hundred folders, so that none is long.
enum ArchiveFolder {
  /// The folder within the archive where a segment stands.
  static func part(_ tag: String) -> Substring { tag.prefix(2) }

  /// Writes a file, whole or not at all.
  ///
  /// It isn't synced: after a crash nobody asks for it.
  ///
  /// - Parameters:
  ///   - bytes: all of it.
  ///   - path: two folders below `folder`, which are made where they aren't there.
  ///   - folder: the archive.
  /// - Returns: 0, or the errno.
  static func write(_ bytes: [UInt8], to path: String, in folder: String) -> Int32 {
    var descriptor = create(path)
    if descriptor < 0, errno == ENOENT {
      let part = String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
      for each in [folder, part] { _ = unsafe mkdir(each, 0o700) }
      descriptor = create(path)
    }
    guard descriptor >= 0 else { return errno }
    var done = 0
    var problem: Int32 = 0
    while done < bytes.count, problem == 0 {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), bytes.count - done)
      }
      if count > 0 {
        done += count
      } else if count == 0 || errno != EINTR {
        problem = count == 0 ? EIO : errno
      }
    }
    if close(descriptor) != 0, problem == 0 { problem = errno }
    if problem != 0 { _ = unsafe unlink(path) }
    return problem
  }

  private static func create(_ path: String) -> Int32 {
    unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
  }

  /// Where a process of a node has its archive beside that of another one.
  static func folder(of process: Int32, in folder: String) -> String {
    "\(folder)/\(prefix)\(process)"
  }

  private static let prefix = "process-"

  /// Removes all that is in an archive but what processes have that are there.
  static func emptyOfTheGone(_ folder: String) {
    let files = FileManager.default
    let names = (try? files.contentsOfDirectory(atPath: folder)) ?? []
    for name in names {
      if name.hasPrefix(prefix), let process = Int32(name.dropFirst(prefix.count)),
        process > 0, kill(process, 0) == 0
      {
        continue
      }
      try? files.removeItem(atPath: folder + "/" + name)
    }
  }

  /// Removes all that is in an archive.
  static func empty(_ folder: String) {
    let files = FileManager.default
    let names = (try? files.contentsOfDirectory(atPath: folder)) ?? []
    for name in names { try? files.removeItem(atPath: folder + "/" + name) }
  }
}
