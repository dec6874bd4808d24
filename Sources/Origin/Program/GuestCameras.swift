import EventLoop
import Media
import Synchronization
import Viewers

/// Cameras whose publishers are with processes before this one: the programs here show them as if
/// they were here, too.
///
/// Each of those processes is asked what has changed, and answers when something has; segments are
/// fetched where the wedding's program is here.
package final class GuestCameras: Sendable {
  private struct State {
    /// What wakes the one who tells of a camera.
    var guests: [StreamKey: AsyncStream<Void>.Continuation] = [:]
    /// Those whose program has been told nothing of them.
    var anew: Set<StreamKey> = []
    /// Who watches a rendition that is made for viewers alone, as `wedding/camera/rendition`.
    var interests: [String: RenditionInterest] = [:]
    var isClosed = false
  }

  /// For how long a question is left open; less than an order may take.
  private static let watching = 4_000
  /// Before one that gave no answer is asked again; it may have ended, which is known soon.
  private static let pause = Duration.milliseconds(200)
  /// So many times without an answer: it doesn't know the question.
  private static let tries = 20
  /// A rendition counts as watched for so many seconds after a request for its playlist.
  private static let watchedFor: UInt64 = 30

  private let node: OriginNode
  private let hands: ElderHands
  private let state = Mutex(State())
  private let hosts: (changes: AsyncStream<Void>, change: AsyncStream<Void>.Continuation)

  /// - Parameters:
  ///   - node: whose programs show them.
  ///   - hands: reach the processes before this one.
  package init(node: OriginNode, hands: ElderHands) {
    self.node = node
    self.hands = hands
    let (changes, change) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    hosts = (changes, change)
  }

  private var book: ElderBook { hands.book }

  /// Asks until there is no process to ask any more, or the task is cancelled.
  package func run() async {
    node.programs.whenOpen { [weak self] in self?.tellAnew(of: $0) }
    let processes = hands.processes()
    book.expect(processes.map(\.id))
    let hosting = Task { await host() }
    await withTaskGroup { group in
      for process in processes { group.addTask { await self.follow(process) } }
    }
    hosting.cancel()
    let guests = state.withLock { state in
      state.isClosed = true
      defer { state.guests = [:] }
      return Array(state.guests.values)
    }
    for each in guests { each.finish() }
  }

  // MARK: Asking

  private func follow(_ process: ElderHands.Process) async {
    var known = 0
    var misses = 0
    var silences = 0
    while !Task.isCancelled {
      let answer = await process.ask(
        .watchCameras(after: known, watched: watched, milliseconds: Self.watching))
      if let news = answer?.news {
        (known, misses, silences) = (news.number, 0, 0)
        book.take(news.cameras, programs: Set(news.programs), of: process.id)
        changed(news.cameras.map(\.key))
        continue
      }
      if process.isGone() { return await end(process.id) }
      silences += 1
      if answer == nil { misses += 1 }
      // Nobody waits for what it will never say; if it does, all is asked for.
      if misses == Self.tries {
        known = 0
        changed(book.end(process.id, .gone))
      }
      try? await Task.sleep(for: silences < Self.tries ? Self.pause : .milliseconds(Self.watching))
    }
  }

  /// A process has ended: its publishers come here, soon or not at all.
  private func end(_ process: Int32) async {
    changed(book.end(process, .lost))
    let streams = node.configuration.streams
    try? await Task.sleep(for: streams.reconnectWindow)
    changed(book.end(process, .over))
    try? await Task.sleep(for: streams.afterEnd)
    changed(book.end(process, .gone))
  }

  /// Renditions that are watched here, and made there for viewers alone.
  private var watched: [String] {
    let now = MonotonicTime.now.nanoseconds / 1_000_000_000
    return state.withLock { state in
      state.interests.filter { $0.value.isFresh(within: Self.watchedFor, now: now) }.map(\.key)
    }
  }

  /// There is news of cameras.
  private func changed(_ keys: [StreamKey]) {
    for key in keys { guest(key)?.yield() }
    hosts.change.yield()
  }

  // MARK: Programs

  /// A wedding's program is about to be here, or is waited for: it is told of all cameras.
  private func tellAnew(of wedding: String) {
    let keys = book.cameras(of: wedding)
    state.withLock { $0.anew.formUnion(keys) }
    for key in keys { guest(key)?.yield() }
  }

  /// Has programs here for cameras that are elsewhere, where no process before this one has them.
  private func host() async {
    var hosted: Set<String> = []
    for await _ in hosts.changes {
      let kept = book.hosted(isKept: true)
      for wedding in hosted.subtracting(kept) { await node.door.unhost(wedding) }
      hosted.formIntersection(kept)
      for wedding in book.hosted(isKept: false).subtracting(hosted) {
        hosted.insert(wedding)
        await node.door.host(wedding)
      }
    }
  }

  // MARK: One camera

  /// What wakes the one who tells of a camera; that one is made where there is none.
  private func guest(_ key: StreamKey) -> AsyncStream<Void>.Continuation? {
    let (news, continuation) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let (known, isNew) = state.withLock { state in
      if let known = state.guests[key] { return (Optional(known), false) }
      guard !state.isClosed else { return (nil, false) }
      state.guests[key] = continuation
      return (continuation, true)
    }
    if isNew { Task { await tell(key, on: news) } }
    return known
  }

  private func tell(_ key: StreamKey, on news: AsyncStream<Void>) async {
    var view = GuestView()
    for await _ in news {
      let isAnew = state.withLock { $0.anew.remove(key) != nil }
      if isAnew { view = GuestView() }
      let known = book.camera(key)
      let isShown = node.programs.isHeld(key.wedding)
      let last = node.programs.lastShown(of: key)
      for step in view.take(known?.camera, isShown: isShown, after: last) {
        switch step {
        case .began: node.programs.tell(.began, ofGuest: key)
        case .live: node.programs.tell(nil, ofGuest: key)
        case .lost: node.programs.tell(.lost, ofGuest: key)
        case .over: node.programs.tell(.over, ofGuest: key)
        case .gone: node.programs.tell(.gone, ofGuest: key)
        case .show(let pieces):
          if let known { await show(pieces, of: known.camera, from: known.process) }
        }
      }
    }
  }

  /// Fetches segments and tells of them; the source's at once, as the program goes on with that.
  private func show(
    _ pieces: [ElderCamera.Piece], of camera: ElderCamera, from process: Int32
  ) async {
    guard let process = hands.processes().first(where: { $0.id == process }) else { return }
    let offers = camera.offers.map { offer in
      offer.offer(offer.isOnDemand ? interest("\(camera.key)/\(offer.name)") : nil)
    }
    for piece in pieces {
      guard let bytes = await process.fetch(piece.path(of: camera.key), piece.byteCount),
        bytes.count == piece.byteCount
      else { continue }
      node.programs.tell(
        .segments([(piece.rendition, piece.segment(bytes))], offers: offers), ofGuest: camera.key)
    }
  }

  private func interest(_ rendition: String) -> RenditionInterest {
    state.withLock { state in
      if let known = state.interests[rendition] { return known }
      let new = RenditionInterest()
      state.interests[rendition] = new
      return new
    }
  }
}
