package import EventLoop
import HLS
import HTTPServer
import Media
package import Ingest
import Glibc
import Synchronization

/// Where what a stream makes goes: to every loop that serves viewers, to the records, to the board.
///
/// Shared by all streams; none of its calls waits.
package final class StreamOutlet: Sendable {
  private let loops = Mutex<[LoopMailbox]>([])
  private let version = Atomic<UInt64>(0)
  private let afterEnd: Duration
  private let board: StreamBoard
  private let relays: RelayDirectory
  private let ledger: StreamLedger

  /// Makes an outlet.
  ///
  /// - Parameters:
  ///   - afterEnd: how long an ended stream can still be fetched.
  ///   - board: what the node knows of its streams.
  ///   - relays: which loop has each stream's source for RTMP players.
  ///   - ledger: keeps where a stream's numbers go on.
  package init(
    afterEnd: Duration, board: StreamBoard, relays: RelayDirectory,
    ledger: StreamLedger
  ) {
    self.afterEnd = afterEnd
    self.board = board
    self.relays = relays
    self.ledger = ledger
  }

  /// Names the loops that serve viewers.
  package func setLoops(_ loops: [LoopMailbox]) { self.loops.withLock { $0 = loops } }

  static var wallClockMilliseconds: Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
  }

  /// Snapshots are numbered through, so that each loop can tell the newer of two.
  func nextVersion() -> UInt64 { version.add(1, ordering: .relaxed).newValue }

  /// A segment as it is sent: its address never has other bytes.
  func response(_ segment: Segment) -> PreparedResponse {
    PreparedResponse(
      fields: [
        ("content-type", "video/mp2t"),
        ("cache-control", "public, max-age=31536000, immutable"),
      ], body: segment.bytes, entityTag: segment.name)
  }

  /// Hands a snapshot to every loop.
  func publish(_ snapshot: StreamSnapshot) {
    let loops = loops.withLock { $0 }
    for loop in loops {
      loop.submit { $0.local(ViewerSite.self)?.update(snapshot) }
    }
    guard snapshot.isOver else { return }
    Task { [afterEnd] in
      try? await Task.sleep(for: afterEnd)
      for loop in loops {
        loop.submit {
          $0.local(ViewerSite.self)?.table.remove(snapshot.key, version: snapshot.version)
        }
      }
      board.remove(snapshot.key)
    }
  }

  /// Records how far the stream has come, without waiting for it.
  func keep(_ key: StreamKey, _ state: WindowState) {
    Task { [ledger] in await ledger.note(key, state) }
  }

  func changed(_ status: StreamStatus) { board.set(status) }

  func ended(_ key: StreamKey) {
    board.end(key)
    relays.end(key)
    Task { [ledger] in await ledger.end(key) }
  }
}
