import Access
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
    /// What is sent of it; nil where nobody counts, or there is nothing yet.
    fileprivate(set) var tallies: StreamTallies?
    /// The next process of this node goes on with it.
    fileprivate(set) var isLeft = false

    fileprivate init(_ snapshot: StreamSnapshot) { self.snapshot = snapshot }
  }

  /// What a viewer waits for.
  enum Wanted {
    /// A segment that is not there yet, of a rendition by its name: others may come before it in
    /// the next snapshot.
    case segment(Int, of: [UInt8])
    /// The first master playlist for viewers of a plan, with a rendition first where one was
    /// chosen.
    case master(Plans.Number, startingWith: String?)
    /// Anything newer, for another node.
    case news(launch: String)
  }

  /// A viewer who waits.
  fileprivate struct Waiting {
    let wanted: Wanted
    let audience: Audience
    /// Whether it asked for the program, which may become another stream than the main camera's.
    let isProgram: Bool
    let held: HeldRequest
    /// Who holds its request: a loop may have several, and what one holds means nothing to another.
    let server: LoopServer

    func release(with response: PreparedResponse) { server.release(held, with: response) }
  }

  private var slots = PathTable<Slot>()
  /// The same once each, whatever addresses they have.
  private var all: [ObjectIdentifier: Slot] = [:]
  /// Why somebody who waits may no longer have what has come; nil where they may.
  var refusal: (Audience, StreamKey, _ isProgram: Bool) -> PreparedResponse? = { _, _, _ in nil }

  /// The number of the lease that this node has of a stream; nil where it has none.
  private let epoch: @Sendable (StreamKey) -> Int64?
  /// Gives out what a stream is counted by; nil where nobody counts.
  private let share: ((StreamKey) -> StreamTraffic.Share)?

  /// - Parameters:
  ///   - epoch: numbers this node's leases of streams; nil where there are none.
  ///   - traffic: counts what is sent of them; nil where nobody does.
  package init(
    epoch: (@Sendable (StreamKey) -> Int64?)? = nil, traffic: StreamTraffic? = nil
  ) {
    self.epoch = epoch ?? { _ in nil }
    share = traffic.map { traffic in
      let place = traffic.place()
      return { traffic.share(of: $0, at: place) }
    }
  }

  /// A stream as other nodes get it.
  ///
  /// - Parameters:
  ///   - snapshot: of it.
  ///   - launch: names this process.
  /// - Returns: the same for all who ask.
  func feed(_ snapshot: StreamSnapshot, _ launch: String) -> PreparedResponse {
    snapshot.feed(launch, epoch: epoch(snapshot.key))
  }

  /// Takes the newest state of a stream, and answers the viewers who waited for it.
  ///
  /// - Parameters:
  ///   - snapshot: of the stream.
  ///   - answers: false where nobody can have waited for it, or somebody else answers them.
  package func update(_ snapshot: StreamSnapshot, answers: Bool = true) {
    let key = snapshot.key
    guard let slot = find(key), slot.snapshot.key == key else {
      let slot = Slot(snapshot)
      count(slot)
      add(slot)
      if answers { answer(slot) }
      return
    }
    guard snapshot.version > slot.snapshot.version else { return }
    // What another process shows is better than what has yet to begin here.
    let isEmpty = snapshot.launch == nil && snapshot.renditions.isEmpty && !snapshot.isOver
    if isEmpty, slot.snapshot.launch != nil, !slot.snapshot.isOver { return }
    let before = slot.snapshot
    slot.snapshot = snapshot
    count(slot)
    if before.isProgram != snapshot.isProgram { settle(slot, before) }
    if answers { answer(slot) }
  }

  /// Has what is sent of a stream counted from when there is something: names that people only ask
  /// for are none.
  private func count(_ slot: Slot) {
    guard let share, slot.tallies != nil || !slot.snapshot.renditions.isEmpty else { return }
    let tallies = slot.tallies ?? StreamTallies(share(slot.snapshot.key))
    tallies.update(slot.snapshot.renditions)
    slot.tallies = tallies
  }

  /// A new stream has a place; one that is its wedding's program has the wedding's addresses too.
  private func add(_ slot: Slot) {
    let key = slot.snapshot.key
    all[ObjectIdentifier(slot)] = slot
    slots.set(Self.text(key), slot)
    let wedding = "/hls/\(key.wedding)"
    let isProgram = key.camera == Claims.programCamera
    let before = slots.value(of: Array(wedding.utf8).span)
    guard isProgram || slot.snapshot.isProgram && before == nil else { return }
    address(key.wedding, slot)
    // Those who have waited for the program at the main camera's place wait here from now on.
    guard isProgram, let before else { return }
    slot.waiting = before.waiting.filter(\.isProgram)
    before.waiting.removeAll(where: \.isProgram)
  }

  /// A camera's stream has become its wedding's program, or is it no longer.
  ///
  /// - Parameters:
  ///   - slot: has the newest state.
  ///   - before: the one before that.
  private func settle(_ slot: Slot, _ before: StreamSnapshot) {
    let snapshot = slot.snapshot
    guard snapshot.key.camera != Claims.programCamera else { return }
    let owner = slots.value(of: Array("/hls/\(snapshot.key.wedding)".utf8).span)
    if snapshot.isProgram {
      if owner == nil { address(snapshot.key.wedding, slot) }
      return
    }
    // A program of this process takes them itself; one of another process has yet to be asked for.
    guard owner === slot, snapshot.launch != nil else { return }
    address(snapshot.key.wedding, nil)
    // Who has waited for the program's next segment gets what was its newest, and asks again.
    let waiting = slot.waiting
    slot.waiting.removeAll(keepingCapacity: true)
    for viewer in waiting {
      if viewer.isProgram, case .segment(_, let name) = viewer.wanted,
        let rendition = before.renditions.first(where: { $0.name == name })
      {
        release(viewer, with: rendition.playlist, snapshot.key)
      } else {
        slot.waiting.append(viewer)
      }
    }
  }

  /// Sets what is found by a wedding's own addresses.
  private func address(_ wedding: String, _ slot: Slot?) {
    slots.set("/hls/\(wedding)", slot)
    slots.set("/hls/\(wedding)/\(Claims.programCamera)", slot)
  }

  private func release(_ viewer: Waiting, with playlist: PlaylistResponse, _ key: StreamKey) {
    let refusal = refusal(viewer.audience, key, viewer.isProgram)
    viewer.server.release(
      viewer.held, with: refusal.map { .prepared($0) } ?? playlist.response(for: viewer.audience))
  }

  private static func text(_ key: StreamKey) -> String { "/hls/\(key.wedding)/\(key.camera)" }

  /// Answers the viewers who have waited for what is there by now.
  private func answer(_ slot: Slot) {
    guard !slot.waiting.isEmpty else { return }
    let snapshot = slot.snapshot
    let waiting = slot.waiting
    slot.waiting.removeAll(keepingCapacity: true)
    for viewer in waiting {
      if case .news(let launch) = viewer.wanted {
        viewer.release(with: feed(snapshot, launch))
        continue
      }
      guard let playlist = playlist(viewer, snapshot) else {
        slot.waiting.append(viewer)
        continue
      }
      release(viewer, with: playlist, snapshot.key)
    }
  }

  /// What somebody has waited for; nil where it isn't there yet.
  private func playlist(_ viewer: Waiting, _ snapshot: StreamSnapshot) -> PlaylistResponse? {
    switch viewer.wanted {
    case .segment(let sequence, let name):
      guard let rendition = snapshot.renditions.first(where: { $0.name == name }),
        rendition.nextSequence > sequence || snapshot.isOver
      else { return nil }
      return rendition.playlist
    case .master(let plan, let first):
      let master = snapshot.master(of: plan, isProgram: viewer.isProgram)
      return first.flatMap { master?.playlist(startingWith: $0) } ?? master?.playlist
    case .news: return nil
    }
  }

  /// Takes the newest state of a stream that was asked for by another key: as its wedding's
  /// program.
  ///
  /// Whoever has waited for that key waits for the stream from then on.
  package func update(_ snapshot: StreamSnapshot, askedAs key: StreamKey) {
    guard key != snapshot.key, let before = find(key), before.snapshot.version == 0 else {
      return update(snapshot)
    }
    forget(before, key)
    update(snapshot, answers: false)
    guard let slot = find(snapshot.key) else { return }
    slot.waiting += before.waiting
    answer(slot)
  }

  /// Nobody has a stream that was waited for.
  package func refuse(_ key: StreamKey, with response: PreparedResponse) {
    guard let slot = find(key), slot.snapshot.version == 0 else { return }
    forget(slot, key)
    for viewer in slot.waiting {
      let refusal = refusal(viewer.audience, key, viewer.isProgram)
      viewer.release(with: refusal ?? response)
    }
  }

  /// The next process of this node goes on with a stream: who has waited for more of it gets what
  /// there is, and asks that process for the rest, over another connection.
  ///
  /// Other nodes wait on: what they are told is for the next process alone.
  package func leave(_ key: StreamKey) {
    guard let slot = find(key), slot.snapshot.key == key else { return }
    slot.isLeft = true
    let waiting = slot.waiting
    slot.waiting.removeAll(keepingCapacity: true)
    for viewer in waiting {
      switch viewer.wanted {
      case .segment(_, let name):
        let refusal = refusal(viewer.audience, key, viewer.isProgram)
        let current = slot.snapshot.renditions.first { $0.name == name }?.playlist
        viewer.server.letGo(
          viewer.held,
          with: refusal.map { .prepared($0) } ?? current?.response(for: viewer.audience))
      case .master: viewer.server.letGo(viewer.held, with: nil)
      case .news: slot.waiting.append(viewer)
      }
    }
  }

  /// Forgets a stream that is over, unless it has gone on since.
  package func remove(_ key: StreamKey, version: UInt64) {
    guard let slot = find(key), slot.snapshot.version == version else { return }
    forget(slot, key)
  }

  private func forget(_ slot: Slot, _ key: StreamKey) {
    all[ObjectIdentifier(slot)] = nil
    slots.set(Self.text(key), nil)
    let wedding = "/hls/\(key.wedding)"
    guard slots.value(of: Array(wedding.utf8).span) === slot else { return }
    var main =
      key.camera == Claims.programCamera ? StreamKey(wedding: key.wedding).flatMap(find) : nil
    if main?.snapshot.isProgram == false { main = nil }
    address(key.wedding, main)
    // Of a placeholder its own waiters are taken care of by whoever replaces it.
    if let main, slot.snapshot.version > 0 { main.waiting += slot.waiting }
  }

  private func find(_ key: StreamKey) -> Slot? {
    slots.value(of: Array(Self.text(key).utf8).span)
  }

  /// The stream whose address a path starts with: `/hls/{wedding}` or `/hls/{wedding}/{camera}`.
  func slot(_ path: borrowing Span<UInt8>) -> Slot? { slots.value(of: path) }

  /// The stream's viewers on this loop of late.
  package func viewers(of key: StreamKey, now: UInt64) -> Int {
    find(key)?.viewers.count(now: now) ?? 0
  }

  /// The viewers of all streams on this loop of late; who watches two is counted twice.
  package func viewers(now: UInt64) -> Int {
    all.values.reduce(0) { $0 + $1.viewers.count(now: now) }
  }
}

extension StreamTable.Slot {
  /// How many are remembered, some of whom may have gone.
  var waitingCount: Int { waiting.count }

  /// Remembers a viewer who waits; the table's next update may answer it.
  ///
  /// Those who have gone are let go now and then, as no update may come for long; complexity O(1)
  /// on average.
  func wait(
    _ held: HeldRequest, for wanted: StreamTable.Wanted, _ audience: Audience,
    isProgram: Bool = false, at server: LoopServer
  ) {
    if waiting.count >= waitingLimit {
      waiting.removeAll { !$0.server.isHeld($0.held) }
      waitingLimit = max(64, waiting.count * 2)
    }
    waiting.append(
      StreamTable.Waiting(
        wanted: wanted, audience: audience, isProgram: isProgram, held: held, server: server))
  }
}
