import TestSupport
@testable import Viewers
import Operator
import EventLoop
import Events
import HLS
import HTTPTypes
import Ingest
import Logging
import Media
import Store
import Synchronization
import Telemetry

@testable import HTTPServer
@testable import Origin

/// A program, the loop that it and its viewers are on, and a clock that a test moves.
final class TestProgram {
  let loop: Loop
  let table = StreamTable()
  let hub: Programs
  let memory: StreamMemory
  let cameras: WeddingCameras
  let events: AsyncStream<Event>
  private let outlet: StreamOutlet
  private let errands: Errands
  private let time: Clock
  private let settings: Program.Settings
  private var sequences: [String: Int] = [:]

  private final class Clock {
    var now = MediaTime(milliseconds: 1_000_000)
  }

  init(
    rule: CameraReturn = .never, memory: StreamMemory = StreamMemory(),
    configuration: StreamConfiguration = StreamConfiguration(), leasing: StreamLeasing? = nil
  ) throws {
    loop = try Loop()
    self.memory = memory
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let bus = EventBus()
    events = bus.subscribe()
    let relays = RelayDirectory()
    relays.setLoops([loop.mailbox])
    cameras = WeddingCameras(store: MemoryCameras(), rule: rule, logger: logger)
    hub = Programs(cameras: cameras, events: bus, relays: relays)
    let errands = Errands()
    self.errands = errands
    outlet = StreamOutlet(
      board: StreamBoard(), relays: relays,
      ledger: StreamLedger(store: MemoryStreamNumbers(), logger: logger), errands: errands,
      events: bus, programs: hub, leasing: leasing)
    outlet.setLoops([loop.mailbox])
    var settings = Program.Settings()
    settings.rule = rule
    settings.streams = configuration
    self.settings = settings
    time = Clock()
    let server = LoopServer(on: loop, metrics: ServerMetrics(MetricRegistry()))
    let handler = ViewerHandler(
      table: table, gate: ViewerGate(tokens: nil),
      routes: PublicRoutes(
        health: Health(), api: APICall { _ in .json(.notFound, []) }, page: { _ in nil }))
    loop.setLocal(ViewerSite(table: table, server: server, handler: handler))
    hub.open("w")
  }

  deinit {
    loop.stop()
    loop.run()
  }

  /// Opens the program; what cameras told before comes to it.
  func open(
    state: WindowState = WindowState(), chosen: String? = nil, showing: String? = nil,
    shown: ShownPlace? = nil, broadcast: Broadcast? = nil, isBlind: Bool = false
  ) {
    ProgramTable.on(loop).open(
      Program(
        .named("w", "program"),
        start: ProgramStart(
          state: state, isInherited: showing != nil, isBlind: isBlind, showing: showing,
          shown: shown, broadcast: broadcast),
        chosen: chosen,
        seed: nil, settings: settings, outlet: outlet, memory: memory, hub: hub, loop: loop,
        now: { [time] in time.now }))
    look()
  }

  var program: Program? { ProgramTable.on(loop)["w"] }

  /// A camera tells.
  func tell(_ news: ProgramNews, _ camera: String, isGuest: Bool = false) {
    ProgramTable.on(loop).take(news, of: camera, in: "w", isGuest: isGuest)
    look()
  }

  /// Cameras finish a segment each, one after the other, and time passes with it.
  func segments(_ cameras: String..., isGuest: Bool = false, bytes: Int = 100) {
    time.now = time.now + MediaTime(milliseconds: 3_000)
    for camera in cameras {
      let number = sequences[camera] ?? 40
      sequences[camera] = number + 1
      let segment = Segment.sample(
        number, at: time.now.milliseconds - 3_000, bytes: Array(repeating: 0x47, count: bytes))
      let offer = ProgramOffer(
        name: "source", rank: 0, first: 0, viewers: .max,
        info: VariantInfo(
          bandwidth: 1_000, averageBandwidth: 900, codecs: [], size: nil, frameRate: nil),
        interest: nil)
      tell(.segments([("source", segment)], offers: [offer]), camera, isGuest: isGuest)
    }
  }

  func pass(_ seconds: Int64) { time.now = time.now + MediaTime(milliseconds: seconds * 1_000) }

  /// Returns when all has been asked and told that was to be.
  func settle() async { await errands.settle() }

  /// Lets the loop take its mail.
  func look() { loop.turn(maximumWait: .zero) }

  var status: ProgramStatus? { hub.status(of: "w") }

  var snapshot: StreamSnapshot? { table.slot(Array("/hls/w".utf8).span)?.snapshot }

  var playlist: Playlist? {
    guard let snapshot, let rendition = snapshot.renditions.first
    else { return nil }
    return Playlist(String(decoding: rendition.playlist.text.plain, as: UTF8.self))
  }
}
