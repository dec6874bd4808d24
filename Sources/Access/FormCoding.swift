/// `application/x-www-form-urlencoded`, both ways.
package enum FormCoding {
  /// More pairs than this are dropped.
  package static let maxPairs = 64

  /// Encodes pairs: letters, digits and `-._~` stay, all else is percent-encoded.
  package static func encode(_ pairs: [(String, String)]) -> [UInt8] {
    var out: [UInt8] = []
    for (name, value) in pairs {
      if !out.isEmpty { out.append(UInt8(ascii: "&")) }
      append(name, to: &out)
      out.append(UInt8(ascii: "="))
      append(value, to: &out)
    }
    return out
  }

  /// Decodes pairs in order; a broken escape stands for itself, and bytes that are no UTF-8 become
  /// U+FFFD.
  package static func decode(_ bytes: [UInt8]) -> [(String, String)] {
    bytes.split(separator: UInt8(ascii: "&")).prefix(maxPairs).map { pair in
      let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
      return (text(pair[..<equals]), text(pair[equals...].dropFirst()))
    }
  }

  private static func append(_ text: String, to out: inout [UInt8]) {
    for byte in text.utf8 {
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        out.append(byte)
      default:
        out.append(UInt8(ascii: "%"))
        out += [byte >> 4, byte & 15].map { $0 < 10 ? 48 + $0 : 55 + $0 }
      }
    }
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    var out: [UInt8] = []
    var index = bytes.startIndex
    while index < bytes.endIndex {
      let byte = bytes[index]
      if byte == UInt8(ascii: "%"), index + 2 < bytes.endIndex, let high = digit(bytes[index + 1]),
        let low = digit(bytes[index + 2])
      {
        out.append(high << 4 | low)
        index += 3
        continue
      }
      out.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
      index += 1
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 65...70: byte - 55
    case 97...102: byte - 87
    default: nil
    }
  }
}
