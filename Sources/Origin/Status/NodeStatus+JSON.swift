import Foundation

extension NodeStatus {
  /// The JSON that the status page polls.
  ///
  /// - Throws: `EncodingError` where a number isn't finite.
  package func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return [UInt8](try encoder.encode(self))
  }
}
