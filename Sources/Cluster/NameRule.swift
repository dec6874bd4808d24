/// Which names may stand in keys, addresses and log lines.
enum NameRule {
  /// Whether a text is one: letters, digits, `-`, `_` and `.` (not first).
  ///
  /// - Parameters:
  ///   - text: from anywhere.
  ///   - longest: how many bytes it may have.
  /// - Returns: false for an empty one too.
  static func allows(_ text: some StringProtocol, longest: Int) -> Bool {
    guard let first = text.utf8.first, first != UInt8(ascii: "."), text.utf8.count <= longest else {
      return false
    }
    return text.utf8.allSatisfy { byte in
      switch byte {
      case 48...57, 65...90, 97...122: true
      case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
      default: false
      }
    }
  }

  /// Whether a text is all visible ASCII, as addresses and versions are.
  static func isVisible(_ text: some StringProtocol, longest: Int) -> Bool {
    text.utf8.count <= longest && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }
}
