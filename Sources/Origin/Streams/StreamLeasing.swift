package import HLS
package import Media
package import RTMP

/// The cluster's say in who has a stream; a node alone has none.
///
/// A struct of closures: whoever wires the node knows the cluster.
package struct StreamLeasing: Sendable {
  /// For how long it is believed where a program was, in milliseconds, with what clocks differ by.
  ///
  /// What an edge has heard long ago is behind what viewers have by now, from others.
  package static let programPatience: Int64 = 120_000

  /// What became of a wish to have a stream.
  package enum Outcome: Sendable {
    /// This node has it; where it is known how far it has come, it goes on after that. Where it
    /// `wasOurs` last, what this process still has of it is gone on with. Where the cluster could
    /// not be asked (`isBlind`), another node may have brought it any far. `resumed`: under which
    /// grant the publisher had it before, as is proved; `date`: which date a time of its clock had
    /// then.
    case granted(
      after: Progress?, wasOurs: Bool = true, isBlind: Bool = false, resumed: StreamGrant? = nil,
      date: PublisherDate? = nil)
    /// The words go to the publisher.
    case refused(String)
    /// Somebody is on air elsewhere on this node, and stays there until the backend has admitted
    /// the newcomer; then it is to be asked for once more. The words are for one that isn't.
    case onAir(String)
  }

  /// What a node says when it wants a stream.
  package struct Wish: Sendable {
    package let key: StreamKey
    package let priority: Int
    /// The epoch under which an edge's publisher was held before, with the edge's proof of it;
    /// empty without one.
    package let resumes: String
    /// How far viewers had it then, as the edge knows; empty where it doesn't.
    package let after: String
    package let proof: String
    /// Which grant of that epoch it was; empty where the edge doesn't know.
    package let grant: String
    /// Which date a time of its publisher's clock has, as the edge knows; empty where it doesn't.
    package let date: String
    /// How far the program has come that is made of it and others, as the edge knows; empty where
    /// it doesn't.
    package let program: String
    /// The same for two connections that show the same token; empty for a program.
    package let tokenID: [UInt8]
    /// Whether the backend has said yes, or isn't asked.
    package let isAdmitted: Bool
    /// Of a program the cameras here that have something to show.
    package let live: Set<String>
    /// A number that a lease of it has had, as edges know, though Redis may not; viewers' edges
    /// believe nobody who comes with less.
    package let known: Int64?

    package init(
      key: StreamKey, priority: Int, resumes: String = "", after: String = "", proof: String = "",
      grant: String = "", date: String = "", program: String = "", tokenID: [UInt8] = [],
      isAdmitted: Bool = true, live: Set<String> = [], known: Int64? = nil
    ) {
      self.known = known
      self.program = program
      self.live = live
      self.date = date
      self.tokenID = tokenID
      self.isAdmitted = isAdmitted
      self.key = key
      self.priority = priority
      self.resumes = resumes
      self.after = after
      self.proof = proof
      self.grant = grant
    }
  }

  /// How far a stream has come.
  package struct Progress: Sendable {
    package let state: WindowState
    /// Where the last segment ends by the publisher's clock, where that is known.
    package let publisherEnd: MediaTime?
    /// Where the one after it ends, by the same clock, where another node has made and announced
    /// that; it is made once more, for those who haven't got it.
    package let nextEnd: MediaTime?
    /// Which date a time of that clock has; told to an edge.
    package let publisherDate: PublisherDate?
    /// The names of the last segments, the newest last.
    package let names: [String]
    /// The camera that a program shows.
    package let camera: String?
    /// The camera that it goes back to by the rule, where that is known.
    package let chosen: String?
    /// Whose segment a program's last one is; nil where that isn't known.
    package let shown: ShownPlace?
    /// Whether who had it has left it there, so that nothing is made once more, and its end is for
    /// this one to tell.
    package let isLeft: Bool
    /// Since when it has been on the air, and when last; nil where that isn't known.
    package let broadcast: Broadcast?
    /// How far the program of its wedding has come, as its publisher's edge knows; nil where it
    /// doesn't.
    package let program: ProgramPlace?

    package init(
      state: WindowState, publisherEnd: MediaTime?, nextEnd: MediaTime? = nil,
      publisherDate: PublisherDate? = nil, names: [String] = [], camera: String? = nil,
      chosen: String? = nil, shown: ShownPlace? = nil, isLeft: Bool = false,
      broadcast: Broadcast? = nil, program: ProgramPlace? = nil
    ) {
      self.broadcast = broadcast
      self.program = program
      self.isLeft = isLeft
      self.shown = shown
      self.chosen = chosen
      self.camera = camera
      self.publisherDate = publisherDate
      self.state = state
      self.publisherEnd = publisherEnd
      self.nextEnd = nextEnd
      self.names = names
    }
  }

  /// Asks for a stream; `onLoss` is called once, should another node have it before it is released.
  let acquire: @Sendable (Wish, _ onLoss: @escaping @Sendable () -> Void) async -> Outcome
  /// Gives it up where it `isUnwanted`: nobody publishes it here any more.
  ///
  /// That is asked in one step with giving it up, so that whoever asks for the stream later gets it
  /// anew. False where it is wanted.
  let release: @Sendable (StreamKey, _ isUnwanted: @Sendable () -> Bool) async -> Bool
  /// Tells how far it has come.
  let publish: @Sendable (StreamKey, Progress) async -> Void
  /// A publisher was admitted, and has it from now on: tells its priority, as others may outrank
  /// it.
  let rank: @Sendable (StreamKey, _ priority: Int) -> Void
  /// Waits for the moment when a program that was refused may be had; nil where nobody can tell.
  ///
  /// Whoever has it is told what cameras here have something to show. Returns false where nobody
  /// has heard of it.
  let watch: (@Sendable (StreamKey, Set<String>) async -> Bool)?
  /// The number under which this node has it; nil where it hasn't.
  let epoch: @Sendable (StreamKey) -> Int64?
  /// Puts that number behind one of which it is told later, under which another node has had the
  /// stream where it `isAnothers` for sure: viewers' edges believe nobody who comes with less.
  let pass: @Sendable (StreamKey, _ epoch: Int64, _ isAnothers: Bool) -> Void
  /// Whether another node or process has it, or has had it since; nil where nobody can tell.
  ///
  /// Whether it has ended is for that one to say, and else for this one: who is told so is asked
  /// once, and says it, and that it `hasEnded`, unless a publisher has come meanwhile. The state is
  /// how far this one has brought it.
  let isElsewhere: @Sendable (StreamKey, WindowState) async -> Bool?
  /// Told when this one has said that a stream has ended.
  let hasEnded: @Sendable (StreamKey) -> Void
  /// Whether nobody in the cluster has any of these streams who could bring it on, and nobody has
  /// waited for a publisher of them for so long; false where that isn't sure.
  let areOver: @Sendable ([StreamKey], _ silence: Duration) async -> Bool

  package init(
    acquire: @escaping @Sendable (Wish, _ onLoss: @escaping @Sendable () -> Void) async -> Outcome,
    release: @escaping @Sendable (StreamKey, _ isUnwanted: @Sendable () -> Bool) async -> Bool,
    publish: @escaping @Sendable (StreamKey, Progress) async -> Void,
    rank: @escaping @Sendable (StreamKey, _ priority: Int) -> Void = { _, _ in },
    watch: (@Sendable (StreamKey, Set<String>) async -> Bool)? = nil,
    epoch: @escaping @Sendable (StreamKey) -> Int64? = { _ in nil },
    pass: @escaping @Sendable (StreamKey, Int64, _ isAnothers: Bool) -> Void = { _, _, _ in },
    isElsewhere: @escaping @Sendable (StreamKey, WindowState) async -> Bool? = { _, _ in nil },
    hasEnded: @escaping @Sendable (StreamKey) -> Void = { _ in },
    areOver: @escaping @Sendable ([StreamKey], Duration) async -> Bool = { _, _ in false }
  ) {
    self.areOver = areOver
    self.isElsewhere = isElsewhere
    self.hasEnded = hasEnded
    self.rank = rank
    self.epoch = epoch
    self.pass = pass
    self.watch = watch
    self.acquire = acquire
    self.release = release
    self.publish = publish
  }
}
