import Glibc

/// The files of a disk tier: one for each object, in 256 folders, and the journal.
///
/// A file is written under another name first, so that under its own it is whole or not there. No
/// object's is synced: after a power cut its sums tell what is left of it. The journal is, where
/// somebody waits for what it says of a purge.
///
/// What is no regular file is none of ours, whatever it is called: a link is not followed, and a
/// pipe not waited for.
package struct DiskFiles: Sendable {
  let folder: String

  /// For what may be written to: never what a link names.
  static let safely = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC

  var journal: String { folder + "/journal" }
  var position: String { folder + "/position" }

  /// Where an object stands.
  func path(_ key: CacheKey) -> String {
    "\(folder)/\(Self.part(key))/\(Self.name(key))"
  }

  static func part(_ key: CacheKey) -> String { String(name(key).prefix(2)) }

  static func name(_ key: CacheKey) -> String { hex(key.high) + hex(key.low) }

  private static func hex(_ value: UInt64) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }

  /// The key that a file's name says; nil for a file of another name.
  static func key(ofName name: String) -> CacheKey? {
    guard name.utf8.count == 32, let high = UInt64(name.prefix(16), radix: 16),
      let low = UInt64(name.suffix(16), radix: 16)
    else { return nil }
    let key = CacheKey(low: low, high: high)
    return Self.name(key) == name ? key : nil
  }

  /// Makes the folder, where it isn't there.
  ///
  /// - Returns: 0, or the errno.
  func prepare() -> Int32 {
    for path in [folder] + (0..<256).map({ "\(folder)/\(Self.two($0))" }) {
      if unsafe mkdir(path, 0o700) != 0, errno != EEXIST { return errno }
    }
    return 0
  }

  static func two(_ number: Int) -> String {
    let text = String(number, radix: 16)
    return text.count == 1 ? "0" + text : text
  }

  /// Writes a file whole, or leaves nothing.
  ///
  /// - Parameters:
  ///   - pieces: one after the other.
  ///   - path: its name; a file of that name is replaced in one step.
  ///   - isSynced: whether it is there after a power cut, too.
  /// - Returns: 0, or the errno.
  package static func write(
    _ pieces: [[UInt8]], to path: String, isSynced: Bool = false
  ) -> Int32 {
    let partial = path + ".partial"
    var descriptor = create(partial)
    if descriptor < 0, clear(partial) { descriptor = create(partial) }
    guard descriptor >= 0 else { return errno }
    var problem: Int32 = 0
    for piece in pieces where problem == 0 { problem = write(piece, descriptor) }
    if problem == 0, isSynced, fsync(descriptor) != 0 { problem = errno }
    if close(descriptor) != 0, problem == 0 { problem = errno }
    if problem == 0, unsafe rename(partial, path) != 0 { problem = errno }
    if problem != 0 { _ = unsafe unlink(partial) }
    if problem == 0, isSynced { problem = syncFolder(of: path) }
    return problem
  }

  private static func syncFolder(of path: String) -> Int32 {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return errno }
    defer { close(descriptor) }
    return fsync(descriptor) == 0 ? 0 : errno
  }

  private static func create(_ path: String) -> Int32 {
    unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | safely, 0o600)
  }

  /// Takes away what stands where a file of ours shall be: what a killed process left half written,
  /// or something else that an `unlink` or `rmdir` takes.
  private static func clear(_ path: String) -> Bool {
    guard errno == EEXIST else { return false }
    return unsafe unlink(path) == 0 || rmdir(path) == 0
  }

  /// Writes all of it at the descriptor's place.
  ///
  /// - Returns: 0, or the errno.
  static func write(_ bytes: [UInt8], _ descriptor: Int32) -> Int32 {
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), bytes.count - done)
      }
      if count > 0 {
        done += count
      } else if count == 0 || errno != EINTR {
        return count == 0 ? EIO : errno
      }
    }
    return 0
  }

  /// Reads a whole file.
  ///
  /// - Parameters:
  ///   - path: of the file.
  ///   - most: bytes that it may have.
  /// - Returns: its bytes, or the errno; `EFBIG` for a longer one, `ELOOP` and `EINVAL` for what is
  ///   no regular file.
  package static func read(_ path: String, most: Int) -> (bytes: [UInt8], problem: Int32) {
    let (descriptor, size, problem) = openToRead(path, most: most)
    guard problem == 0 else { return ([], problem) }
    defer { close(descriptor) }
    return read(descriptor, size)
  }

  /// Reads an object's file: the body is read to where it stays.
  ///
  /// - Parameters:
  ///   - path: of the file.
  ///   - most: bytes that it may have.
  /// - Returns: what stands before the body and the body, or the errno, as of `read`. Of a file
  ///   that is none of ours all but the first bytes is the body.
  static func readObject(
    _ path: String, most: Int
  ) -> (head: [UInt8], body: [UInt8], problem: Int32) {
    var (descriptor, left, problem) = openToRead(path, most: most)
    guard problem == 0 else { return ([], [], problem) }
    defer { close(descriptor) }
    func next(_ count: Int) -> [UInt8] {
      guard problem == 0, left > 0, count > 0 else { return [] }
      let (bytes, its) = read(descriptor, min(count, left))
      problem = its
      left -= bytes.count
      return bytes
    }
    var head = next(DiskObject.prefixBytes)
    head += next(DiskObject.labelBytes(head) ?? 0)
    let body = next(left)
    return (head, body, problem)
  }

  private static func openToRead(
    _ path: String, most: Int
  ) -> (descriptor: Int32, size: Int, problem: Int32) {
    let descriptor = unsafe open(path, O_RDONLY | safely)
    guard descriptor >= 0 else { return (-1, 0, errno) }
    var status = stat()
    var problem: Int32 = 0
    if unsafe fstat(descriptor, &status) != 0 {
      problem = errno
    } else if status.st_mode & S_IFMT != S_IFREG {
      problem = EINVAL
    } else if status.st_size > most {
      problem = EFBIG
    }
    if problem != 0 { close(descriptor) }
    return (descriptor, Int(status.st_size), problem)
  }

  /// Reads on; fewer bytes where the file became shorter, which is what its sums are for.
  private static func read(_ descriptor: Int32, _ size: Int) -> (bytes: [UInt8], problem: Int32) {
    var problem: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
      while filled < size {
        let count = unsafe Glibc.read(
          descriptor, buffer.baseAddress?.advanced(by: filled), size - filled)
        if count > 0 {
          filled += count
        } else if count == 0 || errno != EINTR {
          if count < 0 { problem = errno }
          return
        }
      }
    }
    return problem == 0 ? (bytes, 0) : ([], problem)
  }

  /// Takes a file away, or a folder that is empty.
  ///
  /// - Returns: whether nothing is there any more.
  @discardableResult static func remove(_ path: String) -> Bool {
    if unsafe unlink(path) == 0 { return true }
    if errno == EISDIR { return unsafe rmdir(path) == 0 }
    return errno == ENOENT || errno == ENOTDIR
  }

  /// The names in a folder; none where it can't be read.
  static func names(_ path: String) -> [String] {
    guard let folder = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe String(cString: $0)
        }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
