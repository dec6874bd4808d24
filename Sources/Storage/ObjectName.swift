import Bytes

/// What an object may be called: a relative path, whose parts are ordinary file names.
package enum ObjectName {
  /// What is wrong with a name; nil if nothing is.
  package static func problem(_ name: String) -> String? {
    if name.isEmpty || name.utf8.count > 900 { return "must have 1 to 900 bytes" }
    for part in name.split(separator: "/", omittingEmptySubsequences: false) {
      if part.isEmpty { return "has an empty part" }
      if part.utf8.count > 200 { return "has a part of more than 200 bytes" }
      // Neither `.` nor `..`, nor what a folder keeps its unfinished files by.
      if part.hasPrefix(".") { return "has a part that begins with a dot" }
    }
    if name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F || $0 == "\\" }) {
      return "has a character that has no place in a name"
    }
    return nil
  }

  static func check(_ name: String) throws(StorageError) {
    if let problem = problem(name) {
      throw .outOfRange("the name \(name.debugDescription) \(problem)")
    }
  }

  /// The name with everything escaped that RFC 3986 doesn't leave alone, but for slashes.
  static func escaped(_ name: String, keepingSlashes: Bool = true) -> String {
    var text = ""
    for byte in name.utf8 {
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        text.unicodeScalars.append(Unicode.Scalar(byte))
      case UInt8(ascii: "/") where keepingSlashes:
        text += "/"
      default:
        text += "%" + Hexadecimal.upper(byte)
      }
    }
    return text
  }

  /// An object's address below a base that somebody serves; nil without one.
  static func address(_ path: String, below base: String?) -> String? {
    guard var base, !base.isEmpty else { return nil }
    while base.hasSuffix("/") { base.removeLast() }
    return base + "/" + escaped(path)
  }
}
