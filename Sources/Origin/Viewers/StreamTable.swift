package import HTTPServer
package import Media

/// The streams that one loop serves to viewers.
package final class StreamTable {
  /// One stream's place; it stays while its snapshots come and go.
  final class Slot {
    fileprivate(set) var snapshot: StreamSnapshot
    fileprivate var waiting: [Waiting] = []
    /// How many may wait before those who have gone are looked for.
    fileprivate var waitingLimit = 64
    var viewers = ViewerCounter()

    fileprivate init(_ snapshot: StreamSnapshot) { self.snapshot = snapshot }
  }

  /// A viewer who waits for a segment that is not there yet.
  fileprivate struct Waiting {
    /// Its name: others may come before it in the next snapshot.
    let rendition: [UInt8]
    let sequence: Int
    let audience: Audience
    let held: HeldRequest
  }

  private var slots = PathTable<Slot>()

  package init() {}

  /// Takes the newest state of a stream, and answers the viewers who waited for it.
  package func update(_ snapshot: StreamSnapshot, _ server: LoopServer?) {
    let path = "/hls/\(snapshot.key.wedding)/\(snapshot.key.camera)"
    guard let slot = slots.value(of: Array(path.utf8).span) else {
      let slot = Slot(snapshot)
      slots.set(path, slot)
      if snapshot.key.camera == "main" { slots.set("/hls/\(snapshot.key.wedding)", slot) }
      return
    }
    guard snapshot.version > slot.snapshot.version else { return }
    slot.snapshot = snapshot
    guard let server, !slot.waiting.isEmpty else { return }
    let waiting = slot.waiting
    slot.waiting.removeAll(keepingCapacity: true)
    for viewer in waiting {
      guard let rendition = snapshot.renditions.first(where: { $0.name == viewer.rendition })
      else { continue }
      if rendition.nextSequence > viewer.sequence || snapshot.isOver {
        server.release(viewer.held, with: rendition.playlist.response(for: viewer.audience))
      } else {
        slot.waiting.append(viewer)
      }
    }
  }

  /// Forgets a stream that is over, unless it has gone on since.
  package func remove(_ key: StreamKey, version: UInt64) {
    let path = "/hls/\(key.wedding)/\(key.camera)"
    guard let slot = slots.value(of: Array(path.utf8).span), slot.snapshot.version == version
    else { return }
    slots.set(path, nil)
    if key.camera == "main" { slots.set("/hls/\(key.wedding)", nil) }
  }

  /// The stream whose address a path starts with: `/hls/{wedding}` or `/hls/{wedding}/{camera}`.
  func slot(_ path: borrowing Span<UInt8>) -> Slot? { slots.value(of: path) }

  /// The stream's viewers on this loop of late.
  package func viewers(of key: StreamKey, now: UInt64) -> Int {
    let path = "/hls/\(key.wedding)/\(key.camera)"
    return slots.value(of: Array(path.utf8).span)?.viewers.count(now: now) ?? 0
  }
}

extension StreamTable.Slot {
  /// How many are remembered, some of whom may have gone.
  var waitingCount: Int { waiting.count }

  /// Remembers a viewer who waits for a segment; the table's next update may answer it.
  ///
  /// Those who have gone are let go now and then, as no update may come for long; complexity O(1)
  /// on average.
  func wait(
    _ held: HeldRequest, for sequence: Int, of rendition: [UInt8], _ audience: Audience,
    at server: LoopServer
  ) {
    if waiting.count >= waitingLimit {
      waiting.removeAll { !server.isHeld($0.held) }
      waitingLimit = max(64, waiting.count * 2)
    }
    waiting.append(
      StreamTable.Waiting(
        rendition: rendition, sequence: sequence, audience: audience, held: held))
  }
}
