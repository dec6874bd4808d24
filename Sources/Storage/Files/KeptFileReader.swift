import Glibc

/// Reads files for viewers from wherever they are, away from the loops.
package struct KeptFileReader: Sendable {
  /// What is read at once, as it is held in memory.
  package static let pieceBytes = 512 << 10

  private let storage: (any ObjectStorage)?

  /// Makes a reader.
  ///
  /// - Parameter storage: has what is no longer here; nil where all files are.
  package init(_ storage: (any ObjectStorage)? = nil) { self.storage = storage }

  /// Reads a part of a file: here, or where it was uploaded to.
  ///
  /// - Returns: exactly these bytes.
  /// - Throws: `StorageError`.
  package func read(
    _ file: KeptFile, _ range: Range<Int>
  ) async throws(StorageError) -> [UInt8] {
    let path = file.path
    let bytes = try await BlockingWork.run { () throws(StorageError) in Self.local(path, range) }
    if let bytes { return bytes }
    guard let storage, let object = file.object else {
      throw .notFound("\(path) is gone, and no storage has it")
    }
    return try await storage.read(object, range: range)
  }

  /// Nil where the file isn't here, or not whole.
  private static func local(_ path: String, _ range: Range<Int>) -> [UInt8]? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: range.count) { buffer, used in
      while used < range.count {
        let got = unsafe pread(
          descriptor, buffer.baseAddress?.advanced(by: used), range.count - used,
          off_t(range.lowerBound + used))
        if got > 0 {
          used += got
        } else if got == 0 || errno != EINTR {
          return
        }
      }
    }
    return bytes.count == range.count ? bytes : nil
  }
}
