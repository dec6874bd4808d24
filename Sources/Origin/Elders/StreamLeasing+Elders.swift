import Glibc
import HLS
import Media
import Synchronization

extension StreamLeasing {
  /// For how long a question is left open; less than an order may take.
  private static let watching = 4_000

  /// What this process knows of the streams that it asked the others for.
  private struct Grants {
    /// That it was granted while there were others: it knows best how far they have come.
    var granted: Set<StreamKey> = []
    /// How far one of them has left a stream that another one then refused, or was silent about:
    /// that is said once.
    var left: [StreamKey: ElderAnswer.Progress] = [:]
  }

  /// The say of this node's processes before this one, where no cluster has one: they leave a
  /// stream to who may have it, and it goes on after what they have made of it.
  ///
  /// - Parameters:
  ///   - hands: reach them; nil as long as nobody can come.
  ///   - process: this one.
  /// - Returns: what asks them.
  package static func elders(
    _ hands: @escaping @Sendable () -> ElderHands?, process: Int32 = getpid()
  ) -> StreamLeasing {
    let grants = Mutex(Grants())
    /// The cameras that one of them hears of: those that aren't its own.
    @Sendable func later(
      _ hands: ElderHands, _ program: StreamKey, _ live: Set<String>, for elder: Int32
    ) -> LaterCameras {
      let others = live.filter { camera in
        let known = StreamKey(wedding: program.wedding, camera: camera).flatMap {
          hands.book.camera($0)
        }
        return known.map { !$0.camera.isLive || $0.process != elder } ?? true
      }
      return LaterCameras(process: process, live: others.sorted())
    }
    return StreamLeasing(
      acquire: { wish, _ in
        guard let hands = hands() else { return .granted(after: nil) }
        let answers = await hands.ask { elder in
          .yield(
            wish.key, token: wish.tokenID, priority: wish.priority, isAdmitted: wish.isAdmitted,
            cameras: wish.key.camera == Program.name
              ? later(hands, wish.key, wish.live, for: elder) : nil)
        }
        let refusal = answers.lazy.compactMap(\.refusal).first
        let (isNew, left) = grants.withLock { grants in
          let all = answers.compactMap(\.progress) + (grants.left[wish.key].map { [$0] } ?? [])
          var left = all.max { $0.state.nextSequence < $1.state.nextSequence }
          grants.left[wish.key] = refusal == nil ? nil : left
          // Who had it was killed: viewers go on behind what they had of it by way of this process.
          left = left ?? hands.heard(wish.key).map { ElderAnswer.Progress(state: $0) }
          // Nobody is left to say anything of it, or somebody may yet.
          guard refusal == nil, !answers.isEmpty || left != nil else { return (false, left) }
          return (grants.granted.insert(wish.key).inserted, left)
        }
        if let refusal {
          return refusal.code == ElderAnswer.Refusal.onAir
            ? .onAir(refusal.message) : .refused(refusal.message)
        }
        guard isNew, let left else { return .granted(after: nil) }
        let isProgram = wish.key.camera == Program.name
        // What goes on here is listed behind what was listed there.
        await hands.hear(wish.key)
        return .granted(
          after: Progress(
            state: left.state, publisherEnd: nil, camera: left.camera, chosen: left.chosen,
            shown: left.shown, isLeft: left.shown != nil || !isProgram && left.broadcast != nil,
            broadcast: left.broadcast),
          wasOurs: false)
      }, release: { _, _ in true }, publish: { _, _ in },
      watch: { program, live in
        guard let hands = hands() else { return true }
        let answers = await hands.ask { elder in
          .watchProgram(
            wedding: program.wedding, cameras: later(hands, program, live, for: elder),
            milliseconds: watching)
        }
        // Where nobody knows of it, it is asked for again after a while.
        return answers.contains { $0.count > 0 }
      })
  }
}
