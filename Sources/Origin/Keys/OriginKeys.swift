package import ControlAPI
package import EventLoop

/// The keys of the node's streams as the REST API gives them out and changes them.
package struct OriginKeys: StreamKeyDirectory {
  private let keys: StreamKeys
  private let loops: [LoopMailbox]

  /// Makes a directory.
  ///
  /// - Parameters:
  ///   - keys: of all streams.
  ///   - loops: that publishers are on.
  package init(keys: StreamKeys, loops: [LoopMailbox]) {
    self.keys = keys
    self.loops = loops
  }

  package func key(
    _ id: String, ofWedding wedding: String
  ) async throws -> GivenStreamKey? {
    try await keys.key(id, ofWedding: wedding)
  }

  package func rotate(wedding: String) async -> Int {
    await loops.total { $0.local(OriginLoop.self)?.rotateKeys(ofWedding: wedding) ?? 0 }
  }
}
