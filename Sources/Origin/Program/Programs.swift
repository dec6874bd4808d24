import EventLoop
package import Events
import HLS
package import Ingest
import Media
import Synchronization
package import Telemetry

/// The programs of a node's weddings, as everybody reaches them.
///
/// A wedding that has only ever had its main camera has none: that camera's stream is its program.
/// Each of the others has its home on one loop, to which cameras' loops send mail.
package final class Programs: Sendable {
  private struct State {
    var loops: [LoopMailbox] = []
    /// Weddings that have a program now.
    var open: Set<String> = []
    var statuses: [String: ProgramStatus] = [:]
    var registry: StreamRegistry?
    /// Weddings whose program another process has, and their cameras here that have something to show.
    var away: [String: Set<String>] = [:]
    /// Those who wait for news of a wedding, by a number of their own.
    var waiting: [Int: (wedding: String, news: AsyncStream<Void>.Continuation)] = [:]
    var waits = 0
  }

  private let state = Mutex(State())
  private let events: EventBus
  private let cameras: WeddingCameras
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
  package func hasProgram(_ wedding: String) -> Bool {
    state.withLock { $0.open.contains(wedding) || $0.away[wedding] != nil }
  }

  /// What a camera's stream tells; nothing where its wedding has no program.
  func tell(_ news: @autoclosure () -> ProgramNews, of key: StreamKey) {
    let (home, isAway) = state.withLock { state in
      (Self.openHome(of: key.wedding, state), state.away[key.wedding] != nil)
    }
    guard home != nil || isAway, cameras.isMember(key) else { return }
    let news = news()
    switch news {
    case .began, .lost: cameras.noteLive(key)
    case .segments, .over, .gone: break
    }
    if isAway { note(news, of: key) }
    home?.submit { loop in
      ProgramTable.on(loop).take(news, of: key.camera, in: key.wedding)
    }
  }

  // MARK: With another process

  /// Another process has a wedding's program, or none has it any more.
  func set(_ wedding: String, isAway: Bool) {
    state.withLock { state in
      if !isAway {
        state.away[wedding] = nil
      } else if state.away[wedding] == nil {
        state.away[wedding] = []
      }
    }
  }

  /// The cameras here that have something to show while another process has their program.
  func live(in wedding: String) -> Set<String> { state.withLock { $0.away[wedding] ?? [] } }

  private func note(_ news: ProgramNews, of key: StreamKey) {
    let isNews = state.withLock { state in
      let before = state.away[key.wedding]
      switch news {
      case .segments: state.away[key.wedding]?.insert(key.camera)
      case .lost, .over, .gone: state.away[key.wedding]?.remove(key.camera)
      case .began: break
      }
      return before != state.away[key.wedding]
    }
    if isNews { wake(key.wedding) }
  }

  /// Waits for the moment when a later process may have a wedding's program.
  ///
  /// - Parameters:
  ///   - wedding: whose.
  ///   - later: what that process has.
  ///   - limit: for how long at most.
  /// - Returns: false where there is no such program here.
  func watch(_ wedding: String, for later: LaterCameras, atMost limit: Duration) async -> Bool {
    let (number, news) = waiter(wedding)
    defer { state.withLock { $0.waiting[number] = nil } }
    guard await run(wedding, { $0.hear(later) }) == true else { return false }
    let timer = Task {
      try? await Task.sleep(for: limit)
      self.state.withLock { $0.waiting[number] }?.news.finish()
    }
    defer { timer.cancel() }
    var iterator = news.makeAsyncIterator()
    repeat {
      guard let status = status(of: wedding), status.heir != later.process,
        status.heir != nil || !status.isLeft
      else { break }
    } while await iterator.next() != nil
    return true
  }

  /// Returns when other cameras of a wedding have something to show than those that were known, or the task
  /// is cancelled.
  ///
  /// - Parameters:
  ///   - wedding: whose program another process has.
  ///   - known: its cameras.
  func changed(_ wedding: String, from known: Set<String>) async {
    let (number, news) = waiter(wedding)
    defer { state.withLock { $0.waiting[number] = nil } }
    guard live(in: wedding) == known else { return }
    for await _ in news where live(in: wedding) != known { return }
  }

  private func waiter(_ wedding: String) -> (number: Int, news: AsyncStream<Void>) {
    let (news, continuation) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    return state.withLock { state in
      state.waits += 1
      state.waiting[state.waits] = (wedding, continuation)
      return (state.waits, news)
    }
  }

  /// There may be news for those who wait for such.
  private func wake(_ wedding: String) {
    for each in state.withLock({ $0.waiting.values.filter { $0.wedding == wedding } }) {
      each.news.yield()
    }
  }

  // MARK: From the door

  /// From here on a wedding's cameras tell what they have; it waits until the program is there.
  func open(_ wedding: String) {
    state.withLock { state in
      state.open.insert(wedding)
      state.away[wedding] = nil
    }
  }

  /// What a stream has for viewers, wherever it is; nil where there is none, or it can't be found for
  /// seconds.
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
      state.statuses[wedding] = nil
    }
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
    let isOther = state.withLock { state in
      guard state.open.contains(wedding) else { return false }
      defer { state.statuses[wedding] = status }
      return state.statuses[wedding]?.active != status.active
    }
    wake(wedding)
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

  private func openHome(of wedding: String) -> LoopMailbox? {
    state.withLock { Self.openHome(of: wedding, $0) }
  }

  private static func openHome(of wedding: String, _ state: State) -> LoopMailbox? {
    guard state.open.contains(wedding), !state.loops.isEmpty else { return nil }
    // The same loop each time; which one doesn't matter.
    let hash = wedding.utf8.reduce(into: UInt(5381)) { $0 = $0 &* 33 &+ UInt($1) }
    return state.loops[Int(hash % UInt(state.loops.count))]
  }
}
