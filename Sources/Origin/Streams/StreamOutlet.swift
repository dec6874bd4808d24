package import Viewers
package import EventLoop
package import Events
import HLS
import HTTPServer
import Storage
import Transcode
package import Media
package import Ingest
import Telemetry
import Synchronization

/// Where what a stream makes goes: to every loop that serves viewers, to the records, to the board.
///
/// Shared by all streams; none of its calls waits.
package final class StreamOutlet: Sendable {
  private struct Continuation {
    let goOn: @Sendable (StreamSnapshot, Bool) -> StreamSnapshot
    let forget: @Sendable (StreamKey) -> Void
  }

  private let shown = Mutex<Set<StreamKey>>([])
  /// See `setContinuation`.
  private let continuation = Mutex<Continuation?>(nil)
  private let loops = Mutex<[LoopMailbox]>([])
  private let version = Atomic<UInt64>(0)
  /// Tells the versions of this process from those of the one before it.
  private let launch = String(UInt64.random(in: .min ... .max), radix: 36)
  private let board: StreamBoard
  private let relays: RelayDirectory
  private let ledger: StreamLedger
  private let errands: Errands
  private let keys: StreamKeys?
  private let ladders: LadderReporter?
  private let programs: Programs?
  private let events: EventBus
  private let leasing: StreamLeasing?
  /// Segments that are too old for the memory; nil where viewers can't go back that far.
  let archive: SegmentArchive?

  /// Makes an outlet.
  ///
  /// - Parameters:
  ///   - board: what the node knows of its streams.
  ///   - relays: which loop has each stream's source for RTMP players.
  ///   - ledger: keeps where a stream's numbers go on.
  ///   - errands: what is on its way to the records; a node that stops waits for them.
  ///   - keys: of the segments, where they are encrypted.
  ///   - ladders: tells how the rungs of all streams do.
  ///   - events: told of streams that are over.
  ///   - programs: of weddings that have several cameras.
  ///   - archive: keeps segments that are too old for the memory.
  ///   - leasing: the cluster's, where there is one.
  package init(
    board: StreamBoard, relays: RelayDirectory, ledger: StreamLedger, errands: Errands,
    keys: StreamKeys? = nil, ladders: LadderReporter? = nil, events: EventBus = EventBus(),
    programs: Programs? = nil, archive: SegmentArchive? = nil, leasing: StreamLeasing? = nil
  ) {
    self.leasing = leasing
    self.archive = archive
    self.programs = programs
    self.events = events
    self.ladders = ladders
    self.errands = errands
    self.keys = keys
    self.board = board
    self.relays = relays
    self.ledger = ledger
  }

  /// Names the loops that serve viewers.
  package func setLoops(_ loops: [LoopMailbox]) {
    self.loops.withLock { $0 = loops }
    programs?.setLoops(loops)
  }

  /// Has streams go on from what viewers have of them by way of the process before this one.
  ///
  /// - Parameters:
  ///   - goOn: makes what viewers get of a snapshot; told whether it is a stream's first.
  ///   - forget: a stream is no longer there.
  package func setContinuation(
    _ goOn: @escaping @Sendable (StreamSnapshot, _ isFirst: Bool) -> StreamSnapshot,
    forget: @escaping @Sendable (StreamKey) -> Void
  ) {
    continuation.withLock { $0 = Continuation(goOn: goOn, forget: forget) }
  }

  static var wallClockMilliseconds: Int64 { LogTime.now.milliseconds }

  /// Snapshots are numbered through, so that each loop can tell the newer of two.
  package func nextVersion() -> UInt64 { version.add(1, ordering: .relaxed).newValue }

  /// An entity tag that no other text has ever had at its address: after a restart the versions
  /// begin anew, and caches still have the old texts.
  func tag(_ kind: String, _ version: UInt64) -> String { "\(kind)\(version)-\(launch)" }

  /// A segment as it is sent: its address never has other bytes.
  func response(_ segment: Segment, ofWedding wedding: String) -> PreparedResponse {
    PreparedResponse(
      fields: Self.segmentFields + CacheTags.fields(ofWedding: wedding), body: segment.bytes,
      entityTag: segment.name)
  }

  private static let segmentFields = [
    (name: "content-type", value: "video/mp2t"),
    (name: "cache-control", value: "public, max-age=31536000, immutable"),
  ]

  /// A segment as it is sent from the archive.
  func file(
    _ segment: Segment, ofWedding wedding: String, in archive: SegmentArchive
  ) -> KeptFileResponse {
    KeptFileResponse(
      file: KeptFile(
        path: archive.path(segment), bytes: segment.byteCount, contentType: "video/mp2t"),
      fields: Self.segmentFields + CacheTags.fields(ofWedding: wedding)
        + [("access-control-allow-origin", "*")],
      entityTag: segment.name, reader: KeptFileReader())
  }

  /// Whether viewers have had something of a stream that is here.
  package func shows(_ key: StreamKey) -> Bool { shown.withLock { $0.contains(key) } }

  /// Whether viewers have had something of a wedding's program that is here: its only camera is
  /// that.
  package func showsProgram(of wedding: String) -> Bool {
    if let key = StreamKey(wedding: wedding, camera: Program.name), shows(key) { return true }
    return !hasProgram(wedding) && StreamKey(wedding: wedding).map { shows($0) } ?? false
  }

  /// Hands a snapshot to every loop.
  func publish(_ snapshot: StreamSnapshot) {
    var snapshot = snapshot
    if !snapshot.renditions.isEmpty || snapshot.isOver {
      let isFirst = shown.withLock { $0.insert(snapshot.key).inserted }
      if let continuation = continuation.withLock({ $0 }) {
        snapshot = continuation.goOn(snapshot, isFirst)
      }
    }
    for loop in loops.withLock({ $0 }) {
      loop.submit { [snapshot] in $0.local(ViewerSite.self)?.update(snapshot) }
    }
  }

  /// The next process of this node goes on with a stream, or a program: viewers who wait here for
  /// what comes are sent there.
  func leave(_ key: StreamKey) {
    for loop in loops.withLock({ $0 }) { loop.submit { $0.local(ViewerSite.self)?.leave(key) } }
  }

  /// Takes a stream away that is over, by the version of its last snapshot.
  func forget(_ key: StreamKey, version: UInt64) {
    shown.withLock { _ = $0.remove(key) }
    continuation.withLock { $0 }?.forget(key)
    // Before viewers find nothing of it any more: nobody says then that it is there.
    board.remove(key)
    for loop in loops.withLock({ $0 }) {
      loop.submit { $0.local(ViewerSite.self)?.table.remove(key, version: version) }
    }
  }

  /// Records how far the stream has come, and since when it has been on the air, without waiting
  /// for it.
  func keep(_ key: StreamKey, _ state: WindowState, began: Int64) {
    errands.run { [ledger] in await ledger.note(key, state, began: began) }
  }

  /// Asks whether nobody in the cluster has a stream who could bring it on, or waits for its
  /// publisher.
  ///
  /// - Parameters:
  ///   - keys: the streams.
  ///   - silence: for how long that is to have been so.
  ///   - then: called where it is sure.
  func whenOver(
    _ keys: [StreamKey], for silence: Duration, _ then: @escaping @Sendable () -> Void
  ) {
    guard let leasing else { return }
    errands.run { if await leasing.areOver(keys, silence) { then() } }
  }

  /// Tells the cluster how far a stream has come, and then its relay, without waiting for it.
  func tell(
    _ key: StreamKey, _ progress: @autoclosure () -> StreamLeasing.Progress,
    thenRelay tell: @escaping @Sendable () -> Void
  ) {
    guard let leasing else { return }
    let progress = progress()
    errands.run {
      await leasing.publish(key, progress)
      tell()
    }
  }

  /// A key encrypts no more segments from now on.
  func retire(_ key: StreamKeyMaterial, neededFor milliseconds: Int64) {
    errands.run { [keys] in await keys?.retire(key.id, neededFor: milliseconds) }
  }

  /// Waits for the end of a worker that was killed, away from the loop.
  func reap(_ process: WorkerProcess) { errands.run { _ = process.wait() } }

  /// Tells the operator of a stream's ladder.
  func notice(_ key: StreamKey, _ notice: LadderNotice) { ladders?.note(key, notice) }

  /// Tells the program of a camera's wedding, where it has one of its own.
  func tell(_ news: @autoclosure () -> ProgramNews, of key: StreamKey) {
    programs?.tell(news(), of: key)
  }

  /// Whether a wedding has a program of its own.
  func hasProgram(_ wedding: String) -> Bool { programs?.hasProgram(wedding) ?? false }

  func changed(_ status: StreamStatus) { board.set(status) }

  /// Another process or node has the stream, and says when it ends; what is here can still be
  /// fetched.
  func handedOver(_ key: StreamKey) {
    board.end(key)
    relays.end(key)
  }

  /// Records that the stream is over, without waiting for it.
  func over(_ key: StreamKey, _ state: WindowState) {
    errands.run { [ledger] in await ledger.over(key, at: state) }
  }

  /// The stream is over, and can still be fetched.
  func ended(_ key: StreamKey, _ state: WindowState) {
    over(key, state)
    board.end(key)
    relays.end(key)
    tellEnd(of: key)
  }

  /// A stream is over, whoever has had it.
  func tellEnd(of key: StreamKey) {
    events.publish(Event(.streamEnded, wedding: key.wedding, camera: key.camera))
  }
}
