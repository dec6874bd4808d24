/// A set of bytes as 256 bits, so that a test is one shift.
struct ByteClass: Sendable {
  private var low: (UInt64, UInt64) = (0, 0)

  /// The letters and digits, and the ASCII bytes of `others`.
  init(alphanumericsAnd others: StaticString) {
    for byte in UInt8(0x30)...0x39 { insert(byte) }
    for byte in UInt8(0x41)...0x5a { insert(byte) }
    for byte in UInt8(0x61)...0x7a { insert(byte) }
    others.withUTF8Buffer { bytes in
      for index in bytes.indices { unsafe insert(bytes[index]) }
    }
  }

  private mutating func insert(_ byte: UInt8) {
    if byte < 64 { low.0 |= 1 << UInt64(byte) } else { low.1 |= 1 << UInt64(byte & 63) }
  }

  func contains(_ byte: UInt8) -> Bool {
    let bits = byte < 64 ? low.0 : low.1
    return byte < 128 && bits >> UInt64(byte & 63) & 1 != 0
  }
}

private let tokenBytes = ByteClass(alphanumericsAnd: "!#$%&'*+-.^_`|~")
private let authorityBytes = ByteClass(alphanumericsAnd: "-._~!$&'()*+,;=:[]%")

/// Whether the byte may stand in a token (RFC 9110, 5.6.2).
package func isTokenByte(_ byte: UInt8) -> Bool { tokenBytes.contains(byte) }

/// Whether the byte may stand in `host[:port]` (RFC 3986, 3.2.2); no user information.
package func isAuthorityByte(_ byte: UInt8) -> Bool { authorityBytes.contains(byte) }

/// Whether the byte may stand in a field value: visible, blank, or above ASCII (RFC 9110, 5.5).
@inlinable package func isFieldByte(_ byte: UInt8) -> Bool {
  byte >= 0x20 && byte != 0x7f || byte == 0x09
}
