import Redis

// Whether a stream has ended for good.
extension StreamLeases {
  /// Whether nobody has a stream who could bring it on, or waits for its publisher to come back.
  ///
  /// One that is cut off from Redis may: where a holder has not given it up, it has to be gone, or
  /// another process by now. No camera of the wedding may be on the air, whether its name is known
  /// here or not.
  ///
  /// - Parameters:
  ///   - stream: which.
  ///   - silence: for how long that is to have been so; a node waits for a publisher no longer.
  /// - Returns: false where that isn't sure.
  /// - Throws: why Redis can't say.
  package func isOver(
    _ stream: StreamID, for silence: Duration
  ) async throws(ClusterError) -> Bool {
    // Redis may have lost its data: who has a stream has yet to say so again.
    guard !isEarly() else { return false }
    let reply = try await questions.run(
      LeaseScripts.over, stream, [StreamQuestions.milliseconds(silence)])
    let values = reply.array ?? []
    guard values.count == 3, values[0].integer == 1, let owner = values[1].text else {
      return false
    }
    guard !owner.isEmpty else { return true }
    guard let id = NodeID(owner) else { return false }
    let view = membership.view
    guard let known = view[id] else { return view.lost[id] != nil }
    return known.isDown || known.record.incarnation != values[2].text
  }
}
