import Glibc

/// How much room there is for more on the disk of a folder.
package enum DiskRoom {
  /// Bytes that may be written there without special rights; nil where it can't be known.
  package static func free(at path: String) -> Int? {
    var information = statvfs()
    guard unsafe statvfs(path, &information) == 0 else { return nil }
    return Int(clamping: UInt64(information.f_bavail) * UInt64(information.f_frsize))
  }
}
