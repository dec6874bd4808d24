import Glibc
import HLS
import Media
import Synchronization

extension StreamLeasing {
  /// For how long a question is left open; less than an order may take.
  private static let watching = 4_000

  /// The say of this node's processes before this one, where no cluster has one: they leave a stream to
  /// who may have it, and it goes on after what they have made of it.
  ///
  /// - Parameters:
  ///   - hands: reach them; nil as long as nobody can come.
  ///   - process: this one.
  /// - Returns: what asks them.
  package static func elders(
    _ hands: @escaping @Sendable () -> ElderHands?, process: Int32 = getpid()
  ) -> StreamLeasing {
    // That this process was granted while there were others: it knows best how far they have come.
    let granted = Mutex<Set<StreamKey>>([])
    return StreamLeasing(
      acquire: { wish, _ in
        guard let hands = hands() else { return .granted(after: nil) }
        let (answers, refusal) = await hands.done(
          .yield(
            wish.key, token: wish.tokenID, priority: wish.priority, isAdmitted: wish.isAdmitted,
            cameras: wish.key.camera == Program.name
              ? LaterCameras(process: process, live: wish.live.sorted()) : nil))
        if let refusal {
          return refusal.code == ElderAnswer.Refusal.onAir
            ? .onAir(refusal.message) : .refused(refusal.message)
        }
        // Nobody is left to say anything of it.
        if answers.isEmpty { return .granted(after: nil) }
        let isNew = granted.withLock { $0.insert(wish.key).inserted }
        let left = answers.compactMap(\.progress).max {
          $0.state.nextSequence < $1.state.nextSequence
        }
        guard isNew, let left else { return .granted(after: nil) }
        // What goes on here is listed behind what was listed there.
        await hands.hear(wish.key)
        return .granted(
          after: Progress(
            state: left.state, publisherEnd: nil, camera: left.names.last,
            chosen: left.names.dropLast().last),
          wasOurs: false)
      }, release: { _, _ in true }, publish: { _, _ in },
      watch: { program, live in
        guard let hands = hands() else { return true }
        let answers = await hands.ask(
          .watchProgram(
            wedding: program.wedding,
            cameras: LaterCameras(process: process, live: live.sorted()),
            milliseconds: watching))
        // Where nobody knows of it, it is asked for again after a while.
        return answers.contains { $0.count > 0 }
      })
  }
}
