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
  init(
    in folder: String, name: String, hasAudio: Bool, hasVideo: Bool
  ) throws(DiskError) {
    path = "\(folder)/\(name)"
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { throw DiskError("open", path) }
    // The name is to outlive a power cut, too.
    let parent = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if parent >= 0 {
      fsync(parent)
      Glibc.close(parent)
    }
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
  func flush() throws(DiskError) {
    guard !buffer.isEmpty else { return }
    defer { buffer.removeAll(keepingCapacity: true) }
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
      ftruncate(descriptor, off_t(written + whole))
      written += whole
      throw DiskError("write", path, code)
    }
    written += sent
  }

  /// Waits until the disk has what the kernel has: a power cut then loses nothing.
  func sync() throws(DiskError) {
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
