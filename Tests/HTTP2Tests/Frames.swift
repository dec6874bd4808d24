/// HTTP/2 frames written by hand, so that a test can send what no library would.
enum Frames {
  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
  static let endStream: UInt8 = 1
  static let endHeaders: UInt8 = 4

  static func frame(
    _ type: UInt8, flags: UInt8 = 0, stream: Int32 = 0, _ payload: [UInt8] = []
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    for shift in [16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: payload.count >> shift)) }
    bytes += [type, flags]
    for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: stream >> shift)) }
    return bytes + payload
  }

  /// A settings frame; pairs of identifier and value.
  static func settings(_ pairs: [(UInt16, UInt32)] = []) -> [UInt8] {
    frame(4, pairs.flatMap { big(UInt32($0.0)).suffix(2) + big($0.1) })
  }

  static func big(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  static func rst(_ stream: Int32) -> [UInt8] { frame(3, stream: stream, big(8)) }
  static func ping() -> [UInt8] { frame(6, Array(repeating: 7, count: 8)) }
  static func priority(_ stream: Int32) -> [UInt8] { frame(2, stream: stream, big(0) + [15]) }
  static func windowUpdate(_ stream: Int32, _ increment: UInt32) -> [UInt8] {
    frame(8, stream: stream, big(increment))
  }
  static func data(_ stream: Int32, _ bytes: [UInt8], end: Bool = false) -> [UInt8] {
    frame(0, flags: end ? endStream : 0, stream: stream, bytes)
  }

  /// A literal field without indexing, not compressed; lengths up to 16 KiB.
  static func field(_ name: String, _ value: String) -> [UInt8] {
    [0] + text(name) + text(value)
  }

  /// A literal field that goes into the dynamic table, as its first entry (index 62).
  static func indexed(_ name: String, _ value: String) -> [UInt8] {
    [0x40] + text(name) + text(value)
  }

  private static func text(_ string: String) -> [UInt8] {
    let bytes = Array(string.utf8)
    if bytes.count < 127 { return [UInt8(bytes.count)] + bytes }
    var rest = bytes.count - 127
    var length: [UInt8] = [127]
    while rest >= 128 {
      length.append(UInt8(rest & 127) | 128)
      rest >>= 7
    }
    return length + [UInt8(rest)] + bytes
  }

  static func block(_ path: String, method: String = "GET", _ more: [UInt8] = []) -> [UInt8] {
    field(":method", method) + field(":scheme", "https") + field(":authority", "localhost")
      + field(":path", path) + more
  }

  static func request(
    _ stream: Int32, _ path: String, method: String = "GET", _ more: [UInt8] = [],
    end: Bool = true
  ) -> [UInt8] {
    frame(
      1, flags: endHeaders | (end ? endStream : 0), stream: stream,
      block(path, method: method, more))
  }
}

/// A frame that came from the server.
struct ReceivedFrame: Equatable {
  var type: UInt8
  var flags: UInt8
  var stream: Int32
  var payload: [UInt8]

  /// Takes the first whole frame off the bytes.
  static func take(_ bytes: inout [UInt8]) -> ReceivedFrame? {
    guard bytes.count >= 9 else { return nil }
    let length = Int(bytes[0]) << 16 | Int(bytes[1]) << 8 | Int(bytes[2])
    guard bytes.count >= 9 + length else { return nil }
    let stream = bytes[5..<9].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let frame = ReceivedFrame(
      type: bytes[3], flags: bytes[4], stream: Int32(bitPattern: stream),
      payload: Array(bytes[9..<9 + length]))
    bytes.removeFirst(9 + length)
    return frame
  }

  /// Every whole frame of the bytes.
  static func all(_ bytes: [UInt8]) -> [ReceivedFrame] {
    var rest = bytes
    var frames: [ReceivedFrame] = []
    while let frame = take(&rest) { frames.append(frame) }
    return frames
  }

  /// The status of a HEADERS frame, where the static table has it.
  var status: Int? {
    guard type == 1 else { return nil }
    var rest = payload[...]
    // The first block may begin with the size of the dynamic table.
    while let byte = rest.first, byte & 0xe0 == 0x20 {
      rest = rest.dropFirst()
      if byte & 31 == 31 { rest = rest.drop { $0 & 128 != 0 }.dropFirst() }
    }
    guard let first = rest.first else { return nil }
    let table: [UInt8: Int] = [
      0x88: 200, 0x89: 204, 0x8a: 206, 0x8b: 304, 0x8c: 400, 0x8d: 404, 0x8e: 500,
    ]
    return table[first]
  }

  /// The error code of a GOAWAY or RST_STREAM frame.
  var code: UInt32 {
    payload.suffix(from: type == 7 ? 4 : 0).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
  }
}
