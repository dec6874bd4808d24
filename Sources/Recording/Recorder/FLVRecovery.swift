import Glibc
import Media

/// Makes a part whole again whose process was killed while it wrote it.
enum FLVRecovery {
  /// What is left of a part.
  struct Outcome: Sendable, Equatable {
    /// 0 where nothing of it is of use.
    var bytes: Int
    /// How much of the stream it holds.
    var milliseconds: Int64
    /// What was cut off at its end.
    var lostBytes: Int
  }

  private static let headerBytes = 13
  /// Of a tag, before its body.
  private static let headBytes = 11

  /// Cuts a file after its last whole tag.
  ///
  /// What a power cut has spoilt before that stays where it is: who makes a movie of it passes over
  /// it.
  ///
  /// Reads the head and the end of each tag and nothing between, so that a file of gigabytes takes
  /// seconds.
  /// - Parameter path: of an FLV file of ours.
  /// - Returns: what it holds from now on.
  /// - Throws: `DiskError`.
  static func repair(_ path: String) throws(DiskError) -> Outcome {
    let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw DiskError("open", path) }
    defer { close(descriptor) }
    var information = stat()
    guard unsafe fstat(descriptor, &information) == 0 else { throw DiskError("fstat", path) }
    let size = Int(information.st_size)
    var outcome = try scan(descriptor, size: size, path)
    outcome.lostBytes = size - outcome.bytes
    if outcome.lostBytes > 0 {
      guard ftruncate(descriptor, off_t(outcome.bytes)) == 0 else {
        throw DiskError("ftruncate", path)
      }
      guard fsync(descriptor) == 0 else { throw DiskError("fsync", path) }
    }
    return outcome
  }

  private static func scan(_ descriptor: Int32, size: Int, _ path: String) throws(DiskError)
    -> Outcome
  {
    var outcome = Outcome(bytes: 0, milliseconds: 0, lostBytes: 0)
    let header = try read(descriptor, at: 0, count: headerBytes, path)
    guard header.starts(with: [0x46, 0x4C, 0x56, 1]), header.count == headerBytes else {
      return outcome
    }
    var end = headerBytes
    var clock = TimestampUnwrapper()
    var first: Int64?
    // The size after each tag and the head of the next one lie together: one read for both.
    var head = try read(descriptor, at: end, count: headBytes, path)
    var whole = end
    while true {
      guard let (kind, body, next) = try tag(head, at: end, descriptor, path) else {
        guard let found = try search(descriptor, from: end + 1, path) else { break }
        end = found
        head = try read(descriptor, at: end, count: headBytes, path)
        continue
      }
      end += body + 15
      whole = end
      if kind != .script, body > 0 {
        let time =
          UInt32(head[7]) << 24 | UInt32(head[4]) << 16 | UInt32(head[5]) << 8 | UInt32(head[6])
        let reading = clock.unwrap(time, track: kind == .video ? .video : .audio)
        first = first ?? reading.milliseconds
        outcome.milliseconds = max(0, clock.head - (first ?? 0))
      }
      head = Array(next.dropFirst(4))
    }
    outcome.bytes = whole > headerBytes ? whole : 0
    return outcome
  }

  /// A whole tag: what it is, how long, and what follows its body: its size again, and the next
  /// head.
  ///
  /// - Returns: nil where there is none.
  private static func tag(
    _ head: [UInt8], at offset: Int, _ descriptor: Int32, _ path: String
  ) throws(DiskError) -> (kind: FLVTag.Kind, body: Int, next: [UInt8])? {
    guard head.count == headBytes, let kind = FLVTag.Kind(rawValue: head[0]),
      head[8] | head[9] | head[10] == 0
    else { return nil }
    let body = Int(head[1]) << 16 | Int(head[2]) << 8 | Int(head[3])
    let next = try read(descriptor, at: offset + headBytes + body, count: 15, path)
    guard next.count >= 4, body + headBytes == next.prefix(4).reduce(0, { $0 << 8 | Int($1) })
    else { return nil }
    return (kind, body, next)
  }

  /// Where the next whole tag begins; nil where there is none up to the end.
  private static func search(
    _ descriptor: Int32, from start: Int, _ path: String
  ) throws(DiskError) -> Int? {
    var offset = start
    while true {
      let bytes = try read(descriptor, at: offset, count: 1 << 20, path)
      guard bytes.count >= headBytes else { return nil }
      for index in 0...bytes.count - headBytes where FLVTag.Kind(rawValue: bytes[index]) != nil {
        let head = Array(bytes[index..<index + headBytes])
        if try tag(head, at: offset + index, descriptor, path) != nil { return offset + index }
      }
      offset += bytes.count - headBytes + 1
    }
  }

  /// Reads up to so many bytes; fewer at the file's end.
  private static func read(
    _ descriptor: Int32, at offset: Int, count: Int, _ path: String
  ) throws(DiskError) -> [UInt8] {
    var code: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
      while used < count {
        let got = unsafe pread(
          descriptor, buffer.baseAddress?.advanced(by: used), count - used, off_t(offset + used))
        if got > 0 {
          used += got
        } else if got == 0 {
          return
        } else if errno != EINTR {
          code = errno
          return
        }
      }
    }
    guard code == 0 else { throw DiskError("read", path, code) }
    return bytes
  }
}
