/// Writes one flat JSON object of strings, on one line.
struct JSONLine {
  private var bytes: [UInt8] = [UInt8(ascii: "{")]

  mutating func append(_ key: String, _ value: String) {
    if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
    append(string: key)
    bytes.append(UInt8(ascii: ":"))
    append(string: value)
  }

  mutating func append(_ key: String, _ value: Int) {
    if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
    append(string: key)
    bytes += ":\(value)".utf8
  }

  /// The object, closed, and a line feed.
  func finished() -> [UInt8] { bytes + "}\n".utf8 }

  private mutating func append(string: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in string.utf8 {
      switch byte {
      case UInt8(ascii: "\""): bytes += "\\\"".utf8
      case UInt8(ascii: "\\"): bytes += "\\\\".utf8
      case UInt8(ascii: "\n"): bytes += "\\n".utf8
      case UInt8(ascii: "\r"): bytes += "\\r".utf8
      case UInt8(ascii: "\t"): bytes += "\\t".utf8
      case 0..<0x20, 0x7F:
        bytes += "\\u00".utf8
        bytes += [byte >> 4, byte & 15].map { $0 < 10 ? 48 + $0 : 87 + $0 }
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
