/// One camera of one wedding, over all nodes.
package struct StreamID: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let wedding: String
  package let camera: String

  /// Takes names; nil where one of them isn't one.
  ///
  /// - Parameters:
  ///   - wedding: 1 to 128 letters, digits, `-`, `_` and `.` (not first).
  ///   - camera: the same.
  package init?(wedding: some StringProtocol, camera: some StringProtocol) {
    guard NameRule.allows(wedding, longest: 128), NameRule.allows(camera, longest: 128) else {
      return nil
    }
    self.wedding = String(wedding)
    self.camera = String(camera)
  }

  /// Reads `wedding/camera`.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    self.init(wedding: parts[0], camera: parts[1])
  }

  package static func < (left: StreamID, right: StreamID) -> Bool {
    (left.wedding, left.camera) < (right.wedding, right.camera)
  }

  /// Whether it is what a wedding shows of its cameras.
  var isProgram: Bool { camera == "program" }

  package var description: String { "\(wedding)/\(camera)" }

  /// Where its record is; the braces make all keys of a wedding one slot's.
  var key: String { "wl:stream:{\(wedding)}/\(camera)" }
  /// What is there for as long as a node holds it.
  var leaseKey: String { "wl:lease:{\(wedding)}/\(camera)" }
  /// Where the name of its wedding's home is.
  var homeKey: String { "wl:home:{\(wedding)}" }
}
