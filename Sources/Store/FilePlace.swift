import Glibc

/// Which file stood at a path when it was opened: it may be deleted or replaced while it is open,
/// and what is written to it is then nowhere after the process.
struct FilePlace: Sendable {
  private let path: String
  private let device: UInt
  private let inode: UInt

  /// Notes what stands at a path now; nil where nothing does.
  init?(_ path: String) {
    var information = stat()
    guard unsafe stat(path, &information) == 0 else { return nil }
    self.path = path
    device = UInt(information.st_dev)
    inode = UInt(information.st_ino)
  }

  /// Whether the same file still stands there.
  var isKept: Bool {
    guard let now = FilePlace(path) else { return false }
    return now.device == device && now.inode == inode
  }

  /// What has happened where it is not kept, and what helps.
  var loss: StoreError {
    .failed("\(path) is gone: what is written is lost with this process; start it again")
  }
}
