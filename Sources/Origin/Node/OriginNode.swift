package import Operator
package import Access
import EventLoop
package import Events
package import Ingest
import HLS
package import Logging
import Media
package import Recording
import Store
import RTMP
import Synchronization
package import Telemetry
package import Viewers

/// What all loops of an origin share: who publishes, what is recorded, who is asked.
package final class OriginNode: Sendable {
  package let configuration: OriginConfiguration
  package let registry: StreamRegistry
  package let outlet: StreamOutlet
  package let board: StreamBoard
  package let health: Health
  let leasing: StreamLeasing?
  /// Counts streams of which half a segment waited for whose they are.
  let keptBack: Counter
  package let relays: RelayDirectory
  package let verifier: TokenVerifier
  package let metrics: IngestMetrics
  package let hooks: BackendHooks
  package let ledger: StreamLedger
  package let keys: StreamKeys?
  /// Where streams are recorded; nil where none is.
  package let recordings: RecordingDesk?
  /// What was ordered of streams; nil where that is known in memory alone.
  let orders: RecordingOrders?
  package let errands: Errands
  let admissions = Admissions()
  package let memory: StreamMemory
  /// What happens to the streams, for whoever wants to know.
  package let events: EventBus
  package let logger: Logger
  package let cameras: WeddingCameras
  package let programs: Programs
  /// What is sent of each stream.
  package let traffic: StreamTraffic
  let door: ProgramDoor
  private let clients = Atomic<UInt64>(
    OriginNode.clientsBegin(at: StreamOutlet.wallClockMilliseconds))

  /// Makes the node; streams come with its loops.
  ///
  /// - Parameters:
  ///   - configuration: the bounds.
  ///   - verifier: of tokens.
  ///   - hooks: the backend.
  ///   - registry: of metrics.
  ///   - logger: of the events that people want to see.
  ///   - ledger: keeps where each stream's numbers go on.
  ///   - keys: makes and keeps the keys of segments, where they are encrypted.
  ///   - events: told what happens to streams; one of its own where none is given.
  ///   - recordings: where streams are recorded.
  ///   - orders: which are to be, as was ordered here or elsewhere.
  ///   - cameras: that weddings have besides the main one; none that last, unless given.
  ///   - health: of the node.
  ///   - leasing: the cluster's, where there is one.
  package init(
    configuration: OriginConfiguration, verifier: TokenVerifier, hooks: BackendHooks,
    metrics registry: MetricRegistry, logger: Logger, ledger: StreamLedger,
    keys: StreamKeys? = nil, events: EventBus? = nil, recordings: RecordingDesk? = nil,
    orders: RecordingOrders? = nil, cameras: WeddingCameras? = nil, health: Health = Health(),
    leasing: StreamLeasing? = nil
  ) {
    self.health = health
    keptBack = registry.counter(
      "wedlive_streams_kept_back_total",
      help: "Streams whose relay's connection broke off, so that half a segment waited.")
    self.leasing = leasing
    self.recordings = recordings
    self.orders = orders
    let cameras =
      cameras
      ?? WeddingCameras(
        store: MemoryCameras(), plans: configuration.streams.plans, logger: logger)
    self.cameras = cameras
    self.configuration = configuration
    self.verifier = verifier
    self.hooks = hooks
    self.ledger = ledger
    self.keys = keys
    self.logger = logger
    let board = StreamBoard()
    let counted = configuration.countedStreams
    traffic = StreamTraffic(limit: counted, metrics: registry)
    registry.collect(
      "wedlive_stream_received_bytes_total",
      help: "Bytes of media received of each stream, of as many as streams.counted.",
      kind: .counter
    ) {
      board.all.prefix(counted).map {
        .init(["wedding": $0.wedding, "camera": $0.camera], Double($0.traffic.bytesIn))
      }
    }
    let relays = RelayDirectory()
    let errands = Errands()
    self.errands = errands
    let events = events ?? EventBus(metrics: registry)
    self.events = events
    let programs = Programs(cameras: cameras, events: events, relays: relays, metrics: registry)
    self.programs = programs
    let archive = configuration.dvrFolder.map {
      SegmentArchive(
        $0, limitBytes: configuration.dvrBufferBytes, reserveBytes: configuration.dvrReserveBytes,
        events: events, metrics: registry, logger: logger)
    }
    let outlet = StreamOutlet(
      board: board, relays: relays, ledger: ledger, errands: errands, keys: keys,
      ladders: LadderReporter(registry, errands: errands, events: events, logger: logger),
      events: events, programs: programs, archive: archive, leasing: leasing)
    self.board = board
    self.relays = relays
    self.outlet = outlet
    let memory = StreamMemory(
      limitBytes: configuration.memoryBytes > 0
        ? configuration.memoryBytes : MachineMemory.bytes() / 2, metrics: registry)
    self.memory = memory
    metrics = IngestMetrics(registry)
    var limits = StreamRegistry.Limits()
    limits.reconnectWindow = configuration.streams.reconnectWindow
    limits.afterEnd = configuration.streams.afterEnd
    // The next process lists what was made here for one window, and asks for it when somebody wants
    // it.
    limits.afterYield = max(configuration.streams.afterUpgrade, configuration.streams.window)
    limits.streams = configuration.maximumStreams
    var settings = Program.Settings()
    settings.streams = configuration.streams
    settings.rule = cameras.rule
    let door = ProgramDoor(
      ProgramDoor.Hands(
        hasProgram: { cameras.hasProgram($0) },
        begin: { [streams = configuration.streams] key, told, onLoss in
          await Self.begin(
            key, ledger, leasing, told: told, live: programs.live(in: key.wedding),
            remembered: { await Self.remembered(key, ledger, cameras, streams) }, onLoss: onLoss)
        },
        goOn: { key, start in
          await programs.run(key.wedding) { program in
            program.goOn(from: start) { leasing?.pass(key, start.epoch, $0) }
          }
        },
        seed: { await programs.seed($0) },
        open: { [settings] key, start, seed in
          programs.start(key.wedding) { loop in
            let program = Program(
              key, start: start, chosen: cameras.chosen(key.wedding) ?? start.chosen, seed: seed,
              settings: settings, outlet: outlet, memory: memory, hub: programs, loop: loop)
            program.set(priorities: cameras.priorities(of: key.wedding))
            return program
          }
        },
        await: { programs.set($0, isAway: true) },
        wait: { await Self.wait(for: $0, programs, leasing, pause: $1) },
        giveUp: { programs.set($0, isAway: false) },
        yield: { key, later in
          let progress = await programs.run(key.wedding) { $0.handOver(to: later) } ?? nil
          if let progress { await ledger.end(key, at: progress.state) }
          return progress
        },
        close: { key, wasPublished in
          programs.close(key.wedding)
          if wasPublished { await ledger.end(key) } else { await ledger.withdraw(key) }
          _ = await leasing?.release(key) { true }
        }, listen: { programs.open($0, leftAfter: $1) }), pause: configuration.programPause)
    self.door = door
    self.registry = StreamRegistry(
      limits: limits, hasMemory: { memory.admit() },
      open: { key, inherited, program in
        await door.enter(key, told: program.map { ProgramStart($0) })
        var state = await ledger.begin(key, inheriting: inherited)
        // So that its segments fit the program's playlists.
        state.targetDuration = programs.status(of: key.wedding)?.targetDuration
        let box = LiveStreamBox(
          LiveStream(
            key, state: state, configuration: configuration.streams, outlet: outlet,
            memory: memory, recordings: recordings))
        if let broadcast = await ledger.broadcast(key) { box.stream.expect(broadcast) }
        return box
      },
      close: { key, wasPublished in
        if wasPublished { await ledger.end(key) } else { await ledger.withdraw(key) }
        await door.leave(key, wasPublished: wasPublished)
      },
      isElsewhere: { [logger] key, state in
        let isElsewhere = await leasing?.isElsewhere(key, state)
        if isElsewhere == true {
          logger.info("stream closed that is elsewhere", metadata: ["stream": "\(key)"])
        }
        return isElsewhere
      }, hasEnded: { leasing?.hasEnded($0) })
    programs.attach(self.registry)
    registry.gauge("nginx_rtmp_streams", help: "Streams that have a publisher.") {
      Double(board.nodeLiveCount)
    }
  }

  /// The camera that a program was to show, where both were on the air when the process before this
  /// one died: nobody else knows what it showed.
  private static func remembered(
    _ program: StreamKey, _ ledger: StreamLedger, _ cameras: WeddingCameras,
    _ streams: StreamConfiguration
  ) async -> String? {
    guard let camera = cameras.chosen(program.wedding),
      let chosen = StreamKey(wedding: program.wedding, camera: camera),
      await ledger.wereOnAir(
        [program, chosen], fragment: streams.fragment, within: streams.reconnectWindow)
    else { return nil }
    return camera
  }

  /// Asks the cluster for a program, and where it goes on.
  ///
  /// - Returns: nil where another node has it.
  private static func begin(
    _ key: StreamKey, _ ledger: StreamLedger, _ leasing: StreamLeasing?, told: ProgramStart?,
    live: Set<String>, remembered: () async -> String?, onLoss: @escaping @Sendable () -> Void
  ) async -> ProgramStart? {
    var isBlind = false
    if let leasing {
      let wish = StreamLeasing.Wish(key: key, priority: 0, live: live, known: told?.epoch)
      let outcome = await leasing.acquire(wish, onLoss)
      // Redis may have heard of it long ago, or never.
      if case .granted(let progress, _, _, _, _) = outcome, var told,
        told.isFurther(than: progress?.state)
      {
        let state = await ledger.begin(key, inheriting: told.state)
        if state.nextSequence != told.state.nextSequence { told.shown = nil }
        told.state = state
        told.broadcast = await ledger.broadcast(key, unless: progress?.broadcast)?
          .seen(told.state.endDate)
        return told
      }
      switch outcome {
      case .refused, .onAir: return nil
      case .granted(let progress?, _, _, _, _):
        var showing = progress.camera
        if showing == nil { showing = await remembered() }
        let state = await ledger.begin(key, inheriting: progress.state)
        // Where this node knows of more, that is what was announced last.
        let isLast = state.nextSequence == progress.state.nextSequence
        return ProgramStart(
          state: state, isInherited: true, showing: showing,
          shown: isLast ? progress.shown : nil, isLeft: progress.isLeft, chosen: progress.chosen,
          broadcast: await ledger.broadcast(key, unless: progress.broadcast))
      case .granted(nil, _, let knowsNobody, _, _): isBlind = knowsNobody
      }
    }
    // Asked before it begins here: it is on the air from then on.
    let showing = await remembered()
    let state = await ledger.begin(key, after: StreamKey(wedding: key.wedding))
    return ProgramStart(
      state: state, isBlind: isBlind, showing: showing, broadcast: await ledger.broadcast(key))
  }

  /// Waits until a program that another process has may be had, or a camera here has something to
  /// show, or nothing any more; for a while where nobody can tell.
  private static func wait(
    for wedding: String, _ programs: Programs, _ leasing: StreamLeasing?, pause: Duration
  ) async {
    let live = programs.live(in: wedding)
    guard let watch = leasing?.watch, let key = StreamKey(wedding: wedding, camera: Program.name)
    else {
      try? await Task.sleep(for: pause)
      return
    }
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        let isNews = await watch(key, live)
        if !isNews, !Task.isCancelled { try? await Task.sleep(for: pause) }
      }
      group.addTask { await programs.changed(wedding, from: live) }
      await group.next()
      group.cancelAll()
    }
  }

  /// Another process is the node from now on.
  package func retire() async { await door.retire() }

  /// Where the numbers of a process' clients begin: the next process of the node, which has its own
  /// while this one still has publishers, is beyond all of these unless ten come each millisecond.
  ///
  /// - Parameter time: milliseconds since 1970, when the process begins.
  /// - Returns: less than 2^53 for 28,000 years: whoever reads it into a `Double` has the same.
  static func clientsBegin(at time: Int64) -> UInt64 { UInt64(max(0, time)) * 10 }

  /// A number for a client that no other of this process has.
  func nextClient() -> UInt64 { clients.add(1, ordering: .relaxed).newValue }

  /// Waits until no stream has a publisher, nor is about to end for want of one: nobody else tells
  /// an end that is near as soon as this node does.
  ///
  /// - Parameter patience: ends that come later are others' to tell.
  package func noneIsLive(norEndsWithin patience: Duration) async {
    let until = MonotonicTime.now + patience
    let window = configuration.streams.reconnectWindow
    await board.noneIsLive { $0.waitingSince.map { $0 + window < until } ?? false }
  }

  /// Returns when all that is to be done for clients that have gone is done, and the streams'
  /// numbers are kept: the node stops.
  package func settle() async {
    await errands.settle()
    await cameras.settle()
    await ledger.endAll()
  }

  func log(_ event: Logger.Message, _ ask: ClientAsk, _ more: Logger.Metadata = [:]) {
    let known: Logger.Metadata = [
      "wedding": "\(ask.key.wedding)", "camera": "\(ask.key.camera)",
      "client": "\(ask.clientID)",
    ]
    log(event, address: ask.address, encoder: ask.flashVersion, known.merging(more) { $1 })
  }

  /// Logs an event of a client of whom nothing is known but what it said.
  func log(
    _ event: Logger.Message, address: String, encoder: String, _ more: Logger.Metadata
  ) {
    var metadata: Logger.Metadata = ["address": "\(address)"]
    if !encoder.isEmpty { metadata["encoder"] = "\(encoder.prefix(64))" }
    metadata.merge(more) { $1 }
    logger.info(event, metadata: metadata)
  }
}
