/// A camera's segment that stands in a program.
package struct ShownPlace: Codable, Equatable, Sendable {
  package let camera: String
  /// The camera's own number.
  package let sequence: Int

  package init(camera: String, sequence: Int) {
    self.camera = camera
    self.sequence = sequence
  }
}
