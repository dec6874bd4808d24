/// The keys that segments are encrypted with, as the API gives them out and changes them.
package protocol StreamKeyDirectory: Sendable {
  /// Finds a key.
  ///
  /// - Parameters:
  ///   - id: as it stands in a playlist.
  ///   - wedding: whose viewers ask.
  /// - Returns: 16 bytes; nil where that wedding has no such key, or nobody needs it any more.
  /// - Throws: where it can't be looked up now.
  func bytes(_ id: String, ofWedding wedding: String) async throws -> [UInt8]?

  /// Gives the next segment of each of a wedding's streams another key.
  ///
  /// - Returns: how many streams of it have a publisher here.
  func rotate(wedding: String) async -> Int
}
