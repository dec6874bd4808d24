/// A key that segments are encrypted with, and whose they are.
package struct GivenStreamKey: Sendable, Equatable {
  /// The camera of the wedding whose segments it is for.
  package let camera: String
  /// 16 of them.
  package let bytes: [UInt8]

  package init(camera: String, bytes: [UInt8]) {
    self.camera = camera
    self.bytes = bytes
  }
}

/// The keys that segments are encrypted with, as the API gives them out and changes them.
package protocol StreamKeyDirectory: Sendable {
  /// Finds a key.
  ///
  /// - Parameters:
  ///   - id: as it stands in a playlist.
  ///   - wedding: whose viewers ask.
  /// - Returns: the key; nil where that wedding has no such one, or nobody needs it any more.
  /// - Throws: where it can't be looked up now.
  func key(_ id: String, ofWedding wedding: String) async throws -> GivenStreamKey?

  /// Gives the next segment of each of a wedding's streams another key.
  ///
  /// - Returns: how many streams of it have a publisher here.
  /// - Throws: `APIError` where another process of the node may have some, and doesn't say what it
  ///   has done.
  func rotate(wedding: String) async throws(APIError) -> Int
}
