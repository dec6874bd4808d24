import HLS

extension StreamLeasing {
  /// The say of this node's processes before this one, where no cluster has one: they leave a stream to
  /// who may have it, and it goes on after what they have made of it.
  ///
  /// - Parameter hands: reach them; nil as long as nobody can come.
  /// - Returns: what asks them.
  package static func elders(_ hands: @escaping @Sendable () -> ElderHands?) -> StreamLeasing {
    StreamLeasing(
      acquire: { wish, _ in
        guard let hands = hands() else { return .granted(after: nil) }
        let (answers, refusal) = await hands.done(
          .yield(wish.key, token: wish.tokenID, priority: wish.priority))
        if let refusal { return .refused(refusal.message) }
        let left = answers.compactMap(\.progress).max {
          $0.state.nextSequence < $1.state.nextSequence
        }
        return .granted(
          after: left.map { Progress(state: $0.state, publisherEnd: nil, names: $0.names) },
          wasOurs: false)
      }, release: { _ in }, publish: { _, _ in })
  }
}
