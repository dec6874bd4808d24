import EventLoop
package import Events
import HLS
package import Ingest
import Media
import RTMP
import Synchronization
package import Telemetry

/// The programs of a node's weddings, as everybody reaches them.
///
/// A wedding that has only ever had its main camera has none: that camera's stream is its program.
/// Each of the others has its home on one loop, to which cameras' loops send mail.
package final class Programs: Sendable {
  struct State {
    var loops: [LoopMailbox] = []
    /// Weddings that have a program now.
    var open: Set<String> = []
    var statuses: [String: ProgramStatus] = [:]
    var registry: StreamRegistry?
    /// What a process before this one has shown last in programs that it has left to this one.
    var left: [String: ShownPlace] = [:]
    /// Weddings whose program another process has, and their cameras here that have something to
    /// show.
    var away: [String: Set<String>] = [:]
    /// Those who wait for news of a wedding, or of all, by a number of their own.
    var waiting: [Int: (wedding: String?, news: AsyncStream<Void>.Continuation)] = [:]
    var waits = 0
    /// What cameras here have told, whoever has their program.
    var told = ToldCameras()
    /// Cameras that are here, whatever a process before this one says of them.
    var own: Set<StreamKey> = []
    /// See `whenOpen`.
    var opened: @Sendable (String) -> Void = { _ in }

    /// Those who wait for news of all weddings.
    var watchers: [AsyncStream<Void>.Continuation] {
      waiting.values.lazy.filter { $0.wedding == nil }.map(\.news)
    }

    /// Weddings whose program is here, and goes on here.
    var held: Set<String> { open.filter { isHeld($0) } }

    func isHeld(_ wedding: String) -> Bool {
      open.contains(wedding) && statuses[wedding]?.isHandedOver != true
    }
  }

  let state = Mutex(State())
  private let events: EventBus
  let cameras: WeddingCameras
  private let relays: RelayDirectory
  private let switches: [ProgramChoice.Reason: Counter]

  /// Makes a hub without programs.
  ///
  /// - Parameters:
  ///   - cameras: which weddings have several.
  ///   - events: is told of switches.
  ///   - relays: have what RTMP players play.
  ///   - metrics: where switches are counted.
  package init(
    cameras: WeddingCameras, events: EventBus, relays: RelayDirectory,
    metrics: MetricRegistry = MetricRegistry()
  ) {
    switches = Dictionary(
      uniqueKeysWithValues: ProgramChoice.Reason.allCases.map { reason in
        let counter = metrics.counter(
          "wedlive_camera_switches_total",
          help: "How often programs have shown another camera, by why.",
          labels: ["reason": reason.rawValue])
        return (reason, counter)
      })
    self.relays = relays
    self.cameras = cameras
    self.events = events
  }

  /// Names the loops that programs can live on.
  func setLoops(_ loops: [LoopMailbox]) { state.withLock { $0.loops = loops } }

  /// Names who has the streams that nobody publishes.
  func attach(_ registry: StreamRegistry) { state.withLock { $0.registry = registry } }

  // MARK: From cameras

  /// Whether a wedding has a program of its own, here or with another process.
  func hasProgram(_ wedding: String) -> Bool {
    state.withLock { $0.open.contains(wedding) || $0.away[wedding] != nil }
  }

  /// What a camera's stream tells; nothing where its wedding has one camera.
  func tell(_ news: @autoclosure () -> ProgramNews, of key: StreamKey) {
    guard cameras.isOfProgram(key) else { return forget(key) }
    let news = news()
    switch news {
    case .began, .lost: cameras.noteLive(key)
    case .segments, .over, .gone: break
    }
    let (home, isAway, watchers) = state.withLock { state in
      state.told.take(news, of: key)
      switch news {
      case .began, .segments: state.own.insert(key)
      case .gone: state.own.remove(key)
      case .lost, .over: break
      }
      return (
        Self.openHome(of: key.wedding, state), state.away[key.wedding] != nil, state.watchers
      )
    }
    for each in watchers { each.yield() }
    if isAway { note(news, of: key) }
    home?.submit { loop in
      ProgramTable.on(loop).take(news, of: key.camera, in: key.wedding)
    }
  }

  /// A stream that is no camera any more, as that was removed: nothing is kept of what it has told,
  /// and its program doesn't wait for it.
  private func forget(_ key: StreamKey) {
    let (isNews, home, watchers) = state.withLock { state in
      state.own.remove(key)
      return (state.told.forget(key), Self.openHome(of: key.wedding, state), state.watchers)
    }
    guard isNews else { return }
    for each in watchers { each.yield() }
    note(.gone, of: key)
    home?.submit { loop in
      ProgramTable.on(loop).take(.gone, of: key.camera, in: key.wedding)
    }
  }

  // MARK: From the door

  /// From here on a wedding's cameras tell what they have; it waits until the program is there.
  ///
  /// - Parameters:
  ///   - wedding: whose.
  ///   - last: what a process before this one has shown last, where it has left the program exactly
  ///     there.
  func open(_ wedding: String, leftAfter last: ShownPlace? = nil) {
    let opened = state.withLock { state in
      state.open.insert(wedding)
      state.left[wedding] = last
      state.away[wedding] = nil
      state.told.note()
      return state.opened
    }
    wake(nil)
    opened(wedding)
  }

  /// What a stream has for viewers, wherever it is; nil where there is none, or it can't be found
  /// for seconds.
  func seed(_ key: StreamKey) async -> ProgramSeed? {
    let (loops, registry) = state.withLock { ($0.loops, $0.registry) }
    // On its way from one owner to the next nobody has it.
    for _ in 0..<100 {
      switch await registry?.glimpse(key, { $0.seed() }) {
      case .seen(let seed): return seed
      case .nothing, nil: return nil
      case .elsewhere: break
      }
      for loop in loops {
        let found = try? await loop.run { $0.local(OriginLoop.self)?.seed(key) }
        if let seed = found ?? nil { return seed }
      }
      try? await Task.sleep(for: .milliseconds(50))
    }
    return nil
  }

  /// Puts a program on its home loop.
  func start(_ wedding: String, _ make: @escaping @Sendable (Loop) -> Program) {
    openHome(of: wedding)?.submit { loop in ProgramTable.on(loop).open(make(loop)) }
  }

  /// Takes a wedding's program away.
  func close(_ wedding: String) {
    let home = openHome(of: wedding)
    state.withLock { state in
      state.open.remove(wedding)
      state.left[wedding] = nil
      state.statuses[wedding] = nil
      state.told.note()
    }
    wake(nil)
    if let program = StreamKey(wedding: wedding, camera: Program.name) {
      relays.show(nil, in: program)
    }
    home?.submit { ProgramTable.on($0).close(wedding) }
    wake(wedding)
  }

  // MARK: From programs

  /// A program shows another camera.
  func switched(_ wedding: String, _ change: ProgramChoice.Change) {
    switches[change.reason]?.increment()
    cameras.noteShown(change, of: wedding)
    events.publish(
      Event(
        .cameraSwitched, wedding: wedding, camera: change.to,
        data: [
          "camera_id": .text(change.to), "previous_camera_id": .text(change.from),
          "reason": .text(change.reason.rawValue),
        ]))
  }

  func set(_ status: ProgramStatus, of wedding: String) {
    let (isOther, isLeft) = state.withLock { state in
      guard state.open.contains(wedding) else { return (false, false) }
      let before = state.statuses.updateValue(status, forKey: wedding)
      let isLeft = status.isHandedOver && before?.isHandedOver != true
      if isLeft { state.told.note() }
      return (before?.active != status.active, isLeft)
    }
    wake(wedding)
    if isLeft { wake(nil) }
    guard isOther, let active = status.active,
      let program = StreamKey(wedding: wedding, camera: Program.name)
    else { return }
    relays.show(StreamKey(wedding: wedding, camera: active), in: program)
  }

  /// A program is over: its players are told.
  func ended(_ key: StreamKey) { relays.end(key) }

  // MARK: From the control plane

  /// What a wedding's program does; nil where it has none now.
  func status(of wedding: String) -> ProgramStatus? {
    state.withLock { $0.statuses[wedding] }
  }

  /// How far a wedding's program has come that is made here, and under which lease; nil for others.
  func place(of wedding: String, under leasing: StreamLeasing?) -> ProgramPlace? {
    var place = state.withLock { $0.statuses[wedding]?.place }
    let key = StreamKey(wedding: wedding, camera: Program.name)
    place?.epoch = key.flatMap { leasing?.epoch($0) } ?? 0
    return place
  }

  /// What all programs do, by their weddings.
  var all: [String: ProgramStatus] { state.withLock { $0.statuses } }

  /// Does something with a wedding's program on its loop.
  ///
  /// - Returns: nil where there is none.
  func run<Value: Sendable>(
    _ wedding: String, _ work: @escaping @Sendable (Program) -> Value
  ) async -> Value? {
    guard let home = openHome(of: wedding) else { return nil }
    return try? await home.run { loop in ProgramTable.on(loop)[wedding].map(work) }
  }

  func openHome(of wedding: String) -> LoopMailbox? {
    state.withLock { Self.openHome(of: wedding, $0) }
  }

  static func openHome(of wedding: String, _ state: State) -> LoopMailbox? {
    guard state.open.contains(wedding), !state.loops.isEmpty else { return nil }
    // The same loop each time; which one doesn't matter.
    let hash = wedding.utf8.reduce(into: UInt(5381)) { $0 = $0 &* 33 &+ UInt($1) }
    return state.loops[Int(hash % UInt(state.loops.count))]
  }
}
