import CNGHTTP2

/// A frame as its header says it.
struct FrameHead: Equatable {
  var length = 0
  var type: UInt8 = 0
  var flags: UInt8 = 0
  var stream: Int32 = 0
  /// Of a PRIORITY frame: the stream that this one is to depend on.
  var dependency: Int32 = 0
}

/// Follows the frame boundaries of a connection's bytes, so that every frame is judged by its
/// header, also those that libnghttp2 drops without a callback.
struct FrameScanner {
  /// What is left of the client's preface, then of the frame being passed over.
  private var left = 24
  private var head = FrameHead()
  private var headBytes = 0

  /// Calls `judge` for each frame header that is complete with these bytes; false ends it.
  ///
  /// - Complexity: O(number of frames); payloads are stepped over.
  mutating func scan(_ bytes: borrowing Span<UInt8>, _ judge: (FrameHead) -> Bool) -> Bool {
    var index = 0
    while index < bytes.count {
      if left > 0 {
        let step = min(left, bytes.count - index)
        left -= step
        index += step
        continue
      }
      add(bytes[index])
      index += 1
      guard headBytes == headLength else { continue }
      left = head.length + 9 - headBytes
      headBytes = 0
      guard judge(head) else { return false }
    }
    return true
  }

  /// How far a frame has to be read to be judged: a priority's payload begins with a stream.
  private var headLength: Int {
    let isPriority = UInt32(head.type) == NGHTTP2_PRIORITY.rawValue && head.length >= 4
    return headBytes >= 9 && isPriority ? 13 : 9
  }

  private mutating func add(_ byte: UInt8) {
    switch headBytes {
    case 0: head = FrameHead(length: Int(byte))
    case 1, 2: head.length = head.length << 8 | Int(byte)
    case 3: head.type = byte
    case 4: head.flags = byte
    // The first bit of a stream's number means nothing.
    case 5: head.stream = Int32(byte & 0x7f)
    case 6, 7, 8: head.stream = head.stream << 8 | Int32(byte)
    case 9: head.dependency = Int32(byte & 0x7f)
    default: head.dependency = head.dependency << 8 | Int32(byte)
    }
    headBytes += 1
  }
}
