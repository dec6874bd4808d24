import Glibc

/// Which file something is, whatever its name.
package struct FileIdentity: Equatable {
  private let device: UInt
  private let inode: UInt

  /// The file that a descriptor is of; nil where it is none.
  package init?(of descriptor: Int32) {
    var about = stat()
    guard unsafe fstat(descriptor, &about) == 0 else { return nil }
    self.init(about)
  }

  /// The file that stands at a path now; nil where none does.
  package init?(at path: String) {
    var about = stat()
    guard unsafe stat(path, &about) == 0 else { return nil }
    self.init(about)
  }

  private init(_ about: stat) {
    device = UInt(about.st_dev)
    inode = UInt(about.st_ino)
  }
}
