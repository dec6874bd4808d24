import Bytes
import Crypto

#if canImport(Glibc)
  import Glibc
#endif

/// A file that is read to be put: its descriptor, and how long it was when it was opened.
package final class SourceFile: Sendable {
  package let path: String
  package let descriptor: CInt
  package let bytes: Int

  /// How much is read at once.
  static let chunkBytes = 1 << 20

  /// Opens a regular file.
  ///
  /// - Throws: `.unreadable` with the system's words.
  package init(_ path: String) throws(StorageError) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else {
      throw .unreadable("\(path) can't be opened: \(SystemWords.of(errno))")
    }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .unreadable("\(path) is no regular file")
    }
    self.path = path
    self.descriptor = descriptor
    bytes = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Reads bytes, whatever else is read of the file at the same time.
  ///
  /// - Throws: `.unreadable` also where the file has become shorter.
  package func read(_ range: Range<Int>) throws(StorageError) -> [UInt8] {
    var failure: CInt = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: range.count) { buffer, filled in
      filled = 0
      while filled < range.count, let base = buffer.baseAddress {
        let count = unsafe pread(
          descriptor, base + filled, range.count - filled, off_t(range.lowerBound + filled))
        if count > 0 {
          filled += count
        } else if count == 0 {
          return
        } else if errno != EINTR {
          failure = errno
          return
        }
      }
    }
    if failure != 0 { throw .unreadable("\(path) can't be read: \(SystemWords.of(failure))") }
    guard bytes.count == range.count else {
      throw .unreadable("\(path) has become shorter while it was read")
    }
    return bytes
  }

  /// Gives a range's bytes, a chunk at a time.
  func chunks(
    of range: Range<Int>, _ take: ([UInt8]) throws(StorageError) -> Void
  ) throws(StorageError) {
    var start = range.lowerBound
    while start < range.upperBound {
      let end = min(start + Self.chunkBytes, range.upperBound)
      try take(try read(start..<end))
      start = end
    }
  }

  /// The SHA-256 of a range, which is also added to that of the whole.
  func checksum(of range: Range<Int>, adding whole: inout SHA256) throws(StorageError) -> [UInt8] {
    var part = SHA256()
    var together = whole
    try chunks(of: range) { chunk in
      part.update(data: chunk)
      together.update(data: chunk)
    }
    whole = together
    return Array(part.finalize())
  }

  /// The SHA-256 of the whole file, as hexadecimal digits.
  func checksum() throws(StorageError) -> String {
    var whole = SHA256()
    try chunks(of: 0..<bytes) { whole.update(data: $0) }
    return Hexadecimal.text(whole.finalize())
  }
}

/// The words of an errno.
enum SystemWords {
  static func of(_ number: CInt) -> String {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
      guard let base = buffer.baseAddress, unsafe strerror_r(number, base, 256) == 0 else {
        return "error \(number)"
      }
      return unsafe String(cString: base)
    }
  }
}
