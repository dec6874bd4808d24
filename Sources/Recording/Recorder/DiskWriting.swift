import Glibc

/// Small files that must outlast a power cut.
enum DiskWriting {
  /// Writes all of some bytes.
  ///
  /// - Returns: 0, or the errno.
  static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    unsafe bytes.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = unsafe Glibc.write(
          descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
        if count > 0 {
          done += count
        } else if count == 0 || errno != EINTR {
          return count == 0 ? ENOSPC : errno
        }
      }
      return 0
    }
  }

  /// Puts a file in the place of what is there under its name, whole or not at all; on disk when
  /// this returns.
  static func replace(_ path: String, with bytes: [UInt8]) throws(DiskError) {
    let draft = path + ".new"
    let descriptor = unsafe open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { throw DiskError("open", draft) }
    var problem = write(bytes, to: descriptor)
    if problem == 0, fsync(descriptor) != 0 { problem = errno }
    close(descriptor)
    if problem == 0, unsafe rename(draft, path) != 0 { problem = errno }
    guard problem == 0 else {
      _ = unsafe unlink(draft)
      throw DiskError("write", path, problem)
    }
    syncFolder(of: path)
  }

  /// Has the name of a file, or that it is gone, outlast a power cut, as far as the disk lets us.
  static func syncFolder(of path: String) {
    let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}
