import TestSupport
@testable import Viewers
import Operator
import EventLoop
import HLS
import HTTPTypes
import Ingest
import Logging
import Media
import Store
import Telemetry
import Testing

@testable import HTTPServer
@testable import Origin

/// One live stream, the loop that its viewers are on, and a clock that a test moves.
final class TestStream {
  let loop: Loop
  let table = StreamTable()
  let board = StreamBoard()
  let stream: LiveStream
  let relay: RelayTable
  private(set) var refusals: [String] = []
  private(set) var problems: [String] = []
  private var last: Playlist?
  private let time: Clock

  private final class Clock {
    var now = MediaTime.zero
  }

  init(
    _ key: StreamKey = .named("w"), state: WindowState = WindowState(),
    configuration: StreamConfiguration = StreamConfiguration(),
    memory: StreamMemory = StreamMemory(), leasing: StreamLeasing? = nil
  ) throws {
    loop = try Loop()
    let directory = RelayDirectory()
    directory.setLoops([loop.mailbox])
    relay = RelayTable(loop: loop, directory: directory, configuration: IngestConfiguration())
    let outlet = StreamOutlet(
      board: board, relays: directory,
      ledger: StreamLedger(
        store: MemoryStreamNumbers(),
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }),
      errands: Errands(), leasing: leasing)
    outlet.setLoops([loop.mailbox])
    let time = Clock()
    self.time = time
    stream = LiveStream(
      key, state: state, configuration: configuration, outlet: outlet, memory: memory,
      now: { time.now })
    let server = LoopServer(on: loop, metrics: ServerMetrics(MetricRegistry()))
    let handler = ViewerHandler(
      table: table, gate: ViewerGate(tokens: nil),
      routes: PublicRoutes(
        health: Health(), api: APICall { _ in .json(.notFound, []) }, page: { _ in nil }))
    loop.setLocal(relay)
    loop.setLocal(ViewerSite(table: table, server: server, handler: handler))
  }

  deinit { loop.stop(); loop.run() }

  /// How many keys were asked for, and who makes them.
  private(set) var keysWanted = 0
  var onKey: (LiveStream) -> Void = { _ in }

  /// A publisher comes.
  func begin(after inherited: StreamLeasing.Progress? = nil) {
    stream.begin(
      wantKey: { [unowned self] in
        keysWanted += 1
        onKey(stream)
      }, after: inherited
    ) { [unowned self] in refusals.append($0.words) }
  }

  /// Feeds messages, a turn for each, and looks at every playlist that comes of them.
  func feed(_ pieces: [Encoder.Piece]) {
    for piece in pieces {
      stream.receive(piece.kind, piece.message)
      stream.flush()
      look()
    }
  }

  /// Lets time pass for what is kept.
  func pass(_ duration: Duration) {
    time.now = time.now + MediaTime(duration)
  }

  /// Lets the loop take its mail, and looks at the playlist.
  func look() {
    loop.turn(maximumWait: .zero)
    guard let playlist, playlist != last else { return }
    problems += playlist.problems(after: last)
    last = playlist
  }

  var snapshot: StreamSnapshot? {
    table.slot(Array("/hls/\(stream.key)".utf8).span)?.snapshot
  }

  var playlist: Playlist? { snapshot?.renditions.first.map { Playlist(text($0.playlist)) } }

  func text(_ playlist: PlaylistResponse) -> String {
    String(decoding: playlist.text.plain, as: UTF8.self)
  }

  /// A segment's bytes, as viewers get them.
  func body(_ name: String) -> [UInt8]? {
    snapshot?.renditions.first?.segment(Array(name.utf8).span)?.prepared?.identity.body
  }

  /// Whether a segment can be fetched.
  func has(_ name: String) -> Bool {
    snapshot?.renditions.first?.segment(Array(name.utf8).span) != nil
  }
}
