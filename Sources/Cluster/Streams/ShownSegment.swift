/// A camera's segment that is a program's under another number.
package struct ShownSegment: Equatable, Sendable {
  package let camera: String
  /// The camera's own number.
  package let sequence: Int64

  package init(camera: String, sequence: Int64) {
    self.camera = camera
    self.sequence = sequence
  }

  var isValid: Bool {
    NameRule.allows(camera, longest: 128) && (0...StreamHead.largest).contains(sequence)
  }

  /// As it stands in Redis.
  ///
  /// - Parameter number: the program's, as older nodes write a later one and leave what stands
  ///   beside it.
  /// - Returns: the three, with spaces between them.
  func text(as number: Int64) -> String { "\(number) \(camera) \(sequence)" }

  /// Reads what stands in Redis; nil where it is nothing, or of another number.
  init?(_ text: String, as number: Int64) {
    let parts = text.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 3, Int64(parts[0]) == number, let sequence = Int64(parts[2]) else {
      return nil
    }
    self.init(camera: String(parts[1]), sequence: sequence)
    if !isValid { return nil }
  }
}
