import Bytes
import Glibc
import Media

/// One FLV file of a recording: whole tags are appended, and nothing else ever happens to it.
///
/// Whatever goes wrong, it ends with its last whole tag.
final class PartFile {
  let path: String
  private let descriptor: Int32
  /// Tags that are not given to the kernel yet.
  private var buffer: [UInt8] = []
  /// Bytes of whole tags that the kernel has.
  private var written = 0
  private var synced = 0
  /// Whether half a tag stands behind them that could not be cut off yet: nothing may follow it.
  private var isTorn = false

  private static let bufferBytes = 256 << 10

  /// Its size, with what is still in memory.
  var bytes: Int { written + buffer.count }

  /// Makes the file and its header.
  ///
  /// - Parameters:
  ///   - folder: where it is to stand.
  ///   - name: of the file.
  ///   - hasAudio: whether sound is to be expected.
  ///   - hasVideo: whether pictures are.
  /// - Throws: `DiskError`, with `EEXIST` where there is such a file.
  convenience init(
    in folder: String, name: String, hasAudio: Bool, hasVideo: Bool
  ) throws(DiskError) {
    let path = "\(folder)/\(name)"
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { throw DiskError("open", path) }
    self.init(descriptor, path, hasAudio: hasAudio, hasVideo: hasVideo)
    // The name is to outlive a power cut, too.
    DiskWriting.syncFolder(of: path)
  }

  /// Takes over an empty file that is open for writing.
  init(_ descriptor: Int32, _ path: String, hasAudio: Bool, hasVideo: Bool) {
    self.descriptor = descriptor
    self.path = path
    buffer.reserveCapacity(Self.bufferBytes + 1)
    FLVWriter.header(hasAudio: hasAudio, hasVideo: hasVideo, to: &buffer)
  }

  deinit { Glibc.close(descriptor) }

  /// Appends a tag; one that is too long for the format (16 MiB) is left out.
  ///
  /// - Throws: `DiskError`; the file then ends with its last whole tag.
  func append(
    _ kind: FLVTag.Kind, timestamp: UInt32, body: borrowing Span<UInt8>
  ) throws(DiskError) {
    FLVWriter.tag(kind, timestamp: timestamp, body: body, to: &buffer)
    if buffer.count >= Self.bufferBytes { try flush() }
  }

  /// Gives the kernel what it has not got yet: a process that is killed then loses nothing.
  ///
  /// - Throws: `DiskError`; what was not given is lost, and the file ends with its last whole tag.
  ///   With `ftruncate` half a tag stands behind that: each further call tries anew to cut it off,
  ///   and writes nothing before it is.
  func flush() throws(DiskError) {
    guard !buffer.isEmpty || isTorn else { return }
    defer { buffer.removeAll(keepingCapacity: true) }
    if isTorn { try cut() }
    let (sent, code) = unsafe buffer.withUnsafeBytes { bytes in
      var sent = 0
      while sent < bytes.count {
        let count = unsafe write(
          descriptor, bytes.baseAddress?.advanced(by: sent), bytes.count - sent)
        if count > 0 {
          sent += count
        } else if count == 0 || errno != EINTR {
          return (sent, count == 0 ? ENOSPC : errno)
        }
      }
      return (sent, 0)
    }
    guard code == 0 else {
      let whole = Self.wholeTags(buffer.span, within: sent, isStart: written == 0)
      written += whole
      isTorn = sent > whole
      if isTorn { try cut() }
      throw DiskError("write", path, code)
    }
    written += sent
  }

  /// Takes away what stands behind the last whole tag.
  private func cut() throws(DiskError) {
    while ftruncate(descriptor, off_t(written)) != 0 {
      guard errno == EINTR else { throw DiskError("ftruncate", path) }
    }
    isTorn = false
  }

  /// Waits until the disk has what the kernel has: a power cut then loses nothing.
  func sync() throws(DiskError) {
    if isTorn { try cut() }
    guard written > synced else { return }
    guard fdatasync(descriptor) == 0 else { throw DiskError("fdatasync", path) }
    synced = written
  }

  /// How many of the first bytes are whole tags.
  private static func wholeTags(
    _ bytes: borrowing Span<UInt8>, within limit: Int, isStart: Bool
  ) -> Int {
    var end = isStart ? 13 : 0
    guard end <= limit else { return 0 }
    while end + 15 <= limit {
      let size = Int(bytes[end + 1]) << 16 | Int(bytes[end + 2]) << 8 | Int(bytes[end + 3])
      guard end + size + 15 <= limit else { break }
      end += size + 15
    }
    return end
  }
}
