extension StreamNumbers {
  /// The name of one camera's stream.
  package struct Name: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let wedding: String
    package let camera: String

    package init(wedding: String, camera: String) {
      self.wedding = wedding
      self.camera = camera
    }

    package static func < (left: Name, right: Name) -> Bool {
      (left.wedding, left.camera) < (right.wedding, right.camera)
    }

    package var description: String { "\(wedding)/\(camera)" }
  }
}
