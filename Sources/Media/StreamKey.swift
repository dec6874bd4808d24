/// Names one camera of one wedding: what is published, played and kept apart from all others.
package struct StreamKey: Hashable, Sendable, CustomStringConvertible {
  package let wedding: String
  package let camera: String

  /// Makes a key of two names.
  ///
  /// - Returns: nil unless both have 1 to 128 of `A-Z a-z 0-9 _ - .`, the first no point: they
  ///   stand in addresses, in Redis keys and in file names.
  package init?(wedding: String, camera: String = "main") {
    guard Self.isName(wedding), Self.isName(camera) else { return nil }
    self.wedding = wedding
    self.camera = camera
  }

  package var description: String { "\(wedding)/\(camera)" }

  private static func isName(_ name: String) -> Bool {
    let bytes = name.utf8
    return (1...128).contains(bytes.count) && bytes.first != UInt8(ascii: ".")
      && bytes.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
          UInt8(ascii: "."):
          true
        default: false
        }
      }
  }
}
