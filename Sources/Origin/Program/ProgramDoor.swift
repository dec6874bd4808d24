import Access
import HLS
import Media
import Store

/// Opens a wedding's program with its first stream and closes it with the last, one after the
/// other.
actor ProgramDoor {
  /// How the door does what it decides.
  struct Hands: Sendable {
    /// Whether a wedding has several cameras.
    var hasProgram: @Sendable (String) -> Bool
    /// Where a program's numbers go on; not below those of a main camera that has been the program.
    ///
    /// Nil where another node has it. It is told what the edge of its first camera knows of that.
    /// What it is given is called once, should another node have it later.
    var begin:
      @Sendable (StreamKey, _ told: ProgramStart?, _ onLoss: @escaping @Sendable () -> Void) async
        -> ProgramStart?
    /// The edge of a later camera knows where a program goes on that is open.
    var goOn: @Sendable (StreamKey, ProgramStart) async -> Void = { _, _ in }
    /// What a main camera that is live, or waits, has for viewers.
    var seed: @Sendable (StreamKey) async -> ProgramSeed?
    var open: @Sendable (StreamKey, ProgramStart, ProgramSeed?) -> Void
    /// Another node or process has a program: from here on cameras tell that they have something to
    /// show.
    var await: @Sendable (String) -> Void = { _ in }
    /// Returns when it is time to ask for it again, after a pause where nothing else is known.
    var wait: @Sendable (String, _ pause: Duration) async -> Void = { _, pause in
      try? await Task.sleep(for: pause)
    }
    /// Nobody here has a camera of it any more.
    var giveUp: @Sendable (String) -> Void = { _ in }
    /// Leaves a program to a later process; returns how far it is, or nil where it stays here.
    var yield: @Sendable (StreamKey, LaterCameras?) async -> StreamLeasing.Progress? = { _, _ in
      nil
    }
    /// Takes a program away; told whether any of its cameras was published, or somebody only asked
    /// to.
    var close: @Sendable (StreamKey, _ wasPublished: Bool) async -> Void
    /// From here on cameras tell what they have; where a process before this one has left the
    /// program, what comes after the last segment that it has shown.
    var listen: @Sendable (String, _ last: ShownPlace?) -> Void
  }

  private let hands: Hands
  private let pause: Duration
  private var streams: [String: Set<StreamKey>] = [:]
  /// By the number of their opening.
  private var open: [String: Int] = [:]
  private var openings = 0
  /// Weddings whose program another node has, and is asked for now and then.
  private var awaited: Set<String> = []
  /// Where those go on, as their cameras' edges have said: who has one may have died.
  private var told: [String: ProgramStart] = [:]
  /// Weddings of which a stream was published that has gone, or is elsewhere.
  private var published: Set<String> = []
  /// Weddings whose program the next process of this node has.
  private var yielded: Set<String> = []
  /// Weddings whose program is to be here for cameras that processes before this one have.
  private var hosted: Set<String> = []
  /// Whether another process is the node by now: what has no program here yet gets it there.
  private var isRetired = false
  private let turns = Turns()

  /// Makes a door without programs.
  ///
  /// - Parameters:
  ///   - hands: do what it decides.
  ///   - pause: before a program that another node has is asked for again.
  init(_ hands: Hands, pause: Duration) {
    self.hands = hands
    self.pause = pause
  }

  /// A stream is about to be there.
  ///
  /// - Parameters:
  ///   - key: of it.
  ///   - told: where the program goes on, as its publisher's edge knows; nil where it doesn't.
  func enter(_ key: StreamKey, told: ProgramStart? = nil) async {
    await turns.enter(key.wedding)
    defer { turns.leave(key.wedding) }
    let known = streams[key.wedding] ?? []
    streams[key.wedding] = known.union([key])
    guard hands.hasProgram(key.wedding) else { return }
    if let told, open[key.wedding] != nil, let program = Self.program(key.wedding) {
      return await hands.goOn(program, told)
    }
    await open(key.wedding, seed: known.first { $0.camera == Claims.mainCamera }, told: told)
  }

  /// A stream is no longer there.
  ///
  /// - Parameters:
  ///   - key: of it.
  ///   - wasPublished: whether anybody has published it, or only asked to.
  func leave(_ key: StreamKey, wasPublished: Bool = true) async {
    await turns.enter(key.wedding)
    defer { turns.leave(key.wedding) }
    if wasPublished { published.insert(key.wedding) }
    streams[key.wedding]?.remove(key)
    guard streams[key.wedding]?.isEmpty != false else { return }
    streams[key.wedding] = nil
    await closeIfEmpty(key.wedding)
  }

  /// Has a wedding's program here, for cameras that processes before this one have.
  func host(_ wedding: String) async {
    await turns.enter(wedding)
    defer { turns.leave(wedding) }
    hosted.insert(wedding)
    published.insert(wedding)
    guard hands.hasProgram(wedding) else { return }
    await open(wedding, seed: streams[wedding]?.first { $0.camera == Claims.mainCamera })
  }

  /// None of those has a camera of it any more.
  func unhost(_ wedding: String) async {
    await turns.enter(wedding)
    defer { turns.leave(wedding) }
    guard hosted.remove(wedding) != nil, streams[wedding] == nil else { return }
    await closeIfEmpty(wedding)
  }

  /// Another process is the node from now on: programs that are not here yet are opened there, with
  /// the cameras that are here.
  func retire() { isRetired = true }

  private func closeIfEmpty(_ wedding: String) async {
    guard !hosted.contains(wedding) else { return }
    told[wedding] = nil
    let wasPublished = published.remove(wedding) != nil
    hands.giveUp(wedding)
    guard open.removeValue(forKey: wedding) != nil, let program = Self.program(wedding) else {
      return
    }
    await hands.close(program, wasPublished)
  }

  /// A wedding has got its first camera besides the main one.
  func split(_ wedding: String) async {
    await turns.enter(wedding)
    defer { turns.leave(wedding) }
    guard streams[wedding] != nil || hosted.contains(wedding) else { return }
    await open(wedding, seed: streams[wedding]?.first { $0.camera == Claims.mainCamera })
  }

  /// Another node, or the next process of this one, has a wedding's program: nothing of it is shown
  /// here any more, until the next camera comes.
  private func lost(_ wedding: String, _ opening: Int) async {
    await turns.enter(wedding)
    defer { turns.leave(wedding) }
    guard open[wedding] == opening, let program = Self.program(wedding) else { return }
    open[wedding] = nil
    await hands.close(program, true)
  }

  /// Leaves a program to a later process of this node, for good; what there is of it stays until
  /// the last camera here has gone.
  ///
  /// - Parameters:
  ///   - program: of a wedding.
  ///   - later: what cameras that process has; nil where it doesn't say.
  /// - Returns: how far it has come; nil where it isn't here, or was left before.
  /// - Throws: `ClaimRefusal` where it stays: it shows a camera that is here, or this process waits
  ///   for it itself.
  func yield(
    _ program: StreamKey, to later: LaterCameras?
  ) async throws(ClaimRefusal) -> StreamLeasing.Progress? {
    let wedding = program.wedding
    await turns.enter(wedding)
    defer { turns.leave(wedding) }
    guard !yielded.contains(wedding) else { return nil }
    guard open[wedding] != nil else {
      guard isRetired || !awaited.contains(wedding) else { throw .taken }
      yielded.insert(wedding)
      return nil
    }
    guard let progress = await hands.yield(program, later) else { throw .taken }
    yielded.insert(wedding)
    return progress
  }

  /// Asks for a program again that another node has, for as long as this one has cameras of it.
  private func askLater(_ wedding: String) {
    // Also where it is waited for since before the last camera of then had gone.
    hands.await(wedding)
    guard awaited.insert(wedding).inserted else { return }
    Task { [hands, pause, weak self] in
      await hands.wait(wedding, pause)
      await self?.askAgain(wedding)
    }
  }

  private func askAgain(_ wedding: String) async {
    await turns.enter(wedding)
    defer { turns.leave(wedding) }
    awaited.remove(wedding)
    guard streams[wedding] != nil || hosted.contains(wedding) else { return }
    await open(wedding, seed: nil)
  }

  /// Opens a program.
  ///
  /// - Parameters:
  ///   - wedding: whose.
  ///   - main: the camera that has been the program until now, if any.
  ///   - told: where it goes on, as an edge knows.
  private func open(_ wedding: String, seed main: StreamKey?, told: ProgramStart? = nil) async {
    // What one camera's playlist has been goes on where that is.
    guard open[wedding] == nil, !yielded.contains(wedding), !isRetired || main != nil,
      let program = Self.program(wedding)
    else { return }
    let told = furthest(told, of: wedding)
    openings += 1
    let opening = openings
    open[wedding] = opening
    let begun = await hands.begin(program, told) { [weak self] in
      Task { await self?.lost(wedding, opening) }
    }
    guard var start = begun else {
      open[wedding] = nil
      self.told[wedding] = told
      return askLater(wedding)
    }
    self.told[wedding] = nil
    // First heard, then looked at: what is told twice is known by its number.
    hands.listen(wedding, start.isLeft ? start.shown : nil)
    var seed: ProgramSeed?
    if let main, !start.isInherited { seed = await hands.seed(main) }
    // Viewers elsewhere may have had any number but those of a camera that is here.
    if start.isBlind, seed == nil { start.state = start.state.after(StreamLedger.beyondAll) }
    hands.open(program, start, seed)
  }

  /// What edges have said, now or while another node had it, as long as it can be true.
  private func furthest(_ start: ProgramStart?, of wedding: String) -> ProgramStart? {
    let oldest = StreamOutlet.wallClockMilliseconds - StreamLeasing.programPatience
    guard let known = told[wedding], known.state.endDate >= oldest else { return start }
    guard let start else { return known }
    return start.isFurther(than: known.state) ? start : known
  }

  private static func program(_ wedding: String) -> StreamKey? {
    StreamKey(wedding: wedding, camera: Program.name)
  }
}
