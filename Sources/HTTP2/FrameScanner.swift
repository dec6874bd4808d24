import CNGHTTP2

/// Follows the frame boundaries of a connection's bytes, so that every frame is judged by its
/// header, also those that libnghttp2 drops without a callback.
struct FrameScanner {
  /// What is left of the client's preface, then of the frame being passed over.
  private var left = 24
  private var header: (length: Int, type: UInt8, flags: UInt8) = (0, 0, 0)
  private var headerBytes = 0

  /// Calls `judge` for each frame header that is complete with these bytes; false ends it.
  ///
  /// - Complexity: O(number of frames); payloads are stepped over.
  mutating func scan(
    _ bytes: borrowing Span<UInt8>, _ judge: (nghttp2_frame_hd) -> Bool
  ) -> Bool {
    var index = 0
    while index < bytes.count {
      if left > 0 {
        let step = min(left, bytes.count - index)
        left -= step
        index += step
        continue
      }
      let byte = bytes[index]
      index += 1
      switch headerBytes {
      case 0: header.length = Int(byte)
      case 1, 2: header.length = header.length << 8 | Int(byte)
      case 3: header.type = byte
      case 4: header.flags = byte
      default: break
      }
      headerBytes += 1
      guard headerBytes == 9 else { continue }
      headerBytes = 0
      left = header.length
      let frame = nghttp2_frame_hd(
        length: header.length, stream_id: 0, type: header.type, flags: header.flags, reserved: 0)
      guard judge(frame) else { return false }
    }
    return true
  }
}
