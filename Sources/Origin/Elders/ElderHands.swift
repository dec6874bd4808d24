package import HLS
package import Media

/// Reaches the processes of this node that were before this one, and still have streams.
///
/// A struct of closures: whoever wires the node knows where they are.
package struct ElderHands: Sendable {
  /// One of them.
  package struct Process: Sendable {
    /// 0 for one that doesn't say.
    let id: Int32
    /// Has it do something; nil where it has ended, or doesn't know the order.
    let ask: @Sendable (ElderOrder) async -> ElderAnswer?
    /// Gets a segment by its path; nil where it isn't to be had, or has more bytes.
    let fetch: @Sendable (_ path: String, _ bytes: Int) async -> [UInt8]?
    /// Whether it has ended.
    let isGone: @Sendable () -> Bool

    package init(
      id: Int32, ask: @escaping @Sendable (ElderOrder) async -> ElderAnswer?,
      fetch: @escaping @Sendable (_ path: String, _ bytes: Int) async -> [UInt8]?,
      isGone: @escaping @Sendable () -> Bool
    ) {
      self.id = id
      self.ask = ask
      self.fetch = fetch
      self.isGone = isGone
    }
  }

  /// What they have; nothing of those that have ended.
  let statuses: @Sendable () async -> [NodeStatus]
  /// What they have said last.
  package let tally: ElderTally
  /// What they have said of their cameras.
  package let book: ElderBook
  /// Those that have not ended, the last one first.
  let processes: @Sendable () -> [Process]
  /// Returns when it is known what viewers have of a stream that one of them has left, or has taken
  /// too long to say.
  let hear: @Sendable (StreamKey) async -> Void

  /// How far viewers here have a stream that one of them had; nil where nobody has watched it.
  let heard: @Sendable (StreamKey) -> WindowState?

  package init(
    tally: ElderTally, book: ElderBook = ElderBook(),
    statuses: @escaping @Sendable () async -> [NodeStatus],
    processes: @escaping @Sendable () -> [Process],
    hear: @escaping @Sendable (StreamKey) async -> Void = { _ in },
    heard: @escaping @Sendable (StreamKey) -> WindowState? = { _ in nil }
  ) {
    self.heard = heard
    self.hear = hear
    self.tally = tally
    self.book = book
    self.statuses = statuses
    self.processes = processes
  }

  /// Has each of them do something; nothing comes of those that have ended, or don't know the
  /// order.
  func ask(_ order: ElderOrder) async -> [ElderAnswer] { await ask { _ in order } }

  /// Has each of them do something of its own.
  ///
  /// - Parameter order: for a process.
  /// - Returns: what the last one says first.
  func ask(_ order: (Int32) -> ElderOrder) async -> [ElderAnswer] {
    let all = processes().map { ($0, order($0.id)) }
    // Side by side, as each may take long.
    return await withTaskGroup(of: (Int, ElderAnswer?).self) { group in
      for (index, (process, order)) in all.enumerated() {
        group.addTask { (index, await process.ask(order)) }
      }
      var found = [ElderAnswer?](repeating: nil, count: all.count)
      for await (index, answer) in group { found[index] = answer }
      return found.compactMap { $0 }
    }
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
