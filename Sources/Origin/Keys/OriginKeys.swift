package import ControlAPI
package import EventLoop

/// The keys of the node's streams as the REST API gives them out and changes them.
package struct OriginKeys: StreamKeyDirectory {
  private let keys: StreamKeys
  private let loops: [LoopMailbox]
  private let elders: ElderHands?

  /// Makes a directory.
  ///
  /// - Parameters:
  ///   - keys: of all streams.
  ///   - loops: that publishers are on.
  ///   - elders: processes before this one, which have streams of their own; nil where there are
  ///     none.
  package init(keys: StreamKeys, loops: [LoopMailbox], elders: ElderHands? = nil) {
    self.keys = keys
    self.elders = elders
    self.loops = loops
  }

  package func key(
    _ id: String, ofWedding wedding: String
  ) async throws -> GivenStreamKey? {
    try await keys.key(id, ofWedding: wedding)
  }

  package func rotate(wedding: String) async throws(APIError) -> Int {
    var count = await loops.total {
      $0.local(OriginLoop.self)?.rotateKeys(ofWedding: wedding) ?? 0
    }
    guard let elders else { return count }
    let (answers, refusal) = await elders.done(.rotateKeys(wedding: wedding))
    if let refusal { throw refusal.error }
    for answer in answers { count += answer.count }
    return count
  }
}
