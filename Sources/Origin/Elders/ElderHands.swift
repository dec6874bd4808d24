package import Media

/// Reaches the processes of this node that were before this one, and still have streams.
///
/// A struct of closures: whoever wires the node knows where they are.
package struct ElderHands: Sendable {
  /// What they have; nothing of those that have ended.
  let statuses: @Sendable () async -> [NodeStatus]
  /// What they have said last.
  package let tally: ElderTally
  /// Has each of them do something; nothing comes of those that have ended, or don't know the order.
  let ask: @Sendable (ElderOrder) async -> [ElderAnswer]
  /// Returns when it is known what viewers have of a stream that one of them has left, or has taken too
  /// long to say.
  let hear: @Sendable (StreamKey) async -> Void

  package init(
    tally: ElderTally, statuses: @escaping @Sendable () async -> [NodeStatus],
    ask: @escaping @Sendable (ElderOrder) async -> [ElderAnswer],
    hear: @escaping @Sendable (StreamKey) async -> Void = { _ in }
  ) {
    self.hear = hear
    self.tally = tally
    self.statuses = statuses
    self.ask = ask
  }

  /// A stream that is live, or waits, with one of them.
  func stream(_ wedding: String, _ camera: String) async -> StreamStatus? {
    await statuses().lazy.flatMap(\.streams).first {
      $0.wedding == wedding && $0.camera == camera && $0.state != .ended
    }
  }

  /// What a wedding's program does there.
  func program(_ wedding: String) async -> ProgramSummary? {
    await statuses().lazy.flatMap(\.programs).first { $0.wedding == wedding }
  }

  /// Why one of them has refused to do something.
  ///
  /// - Returns: what the others have done.
  func done(_ order: ElderOrder) async -> (answers: [ElderAnswer], refusal: ElderAnswer.Refusal?) {
    let answers = await ask(order)
    return (answers, answers.lazy.compactMap(\.refusal).first)
  }
}
