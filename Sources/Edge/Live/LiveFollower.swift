import Access
import EventLoop
import HTTPClient
import HTTPTypes
import Logging
import Media
import Synchronization
import Telemetry
import Viewers

/// Follows one stream for this edge's viewers: asks for news, fetches what is new, hands it on.
final class LiveFollower: Sendable {
  private struct State {
    var snapshot: StreamSnapshot?
    var pool: UpstreamPool?
    /// What it goes on from, if anything; nil once it has begun.
    var before: LiveView?
    var task: Task<Void, Never>?
    /// The question that is open.
    var question: Task<(Answer, Upstream?), Never>?
    /// Who is asked it, or was asked last.
    var asked: Upstream?
    /// Waits for segments that were announced.
    var arrival: Task<Bool, Never>?
    /// Whether the stream may be elsewhere by now.
    var isMoved = false
  }

  /// As it was asked for; the camera may be `program`.
  let key: StreamKey
  private let live: EdgeLive
  private let state = Mutex(State())
  private let interest = RenditionInterest()
  private let comingInterest = ComingInterest()
  private let placeholder: StreamSnapshot

  /// - Parameters:
  ///   - key: as it is asked for.
  ///   - live: whose it is.
  ///   - before: what viewers have of it from another follower; nil for a stream that nobody here
  ///     had.
  init(_ key: StreamKey, _ live: EdgeLive, after before: LiveView? = nil) {
    self.key = key
    self.live = live
    placeholder = StreamSnapshot(
      key: key, version: 0, isOver: false, isProgram: key.camera == Claims.programCamera,
      masters: [],
      renditions: [], coming: [ComingRendition(name: [], viewers: .max)], interest: interest,
      comingInterest: comingInterest)
    state.withLock { state in
      state.before = before
      state.snapshot = before?.snapshot
    }
  }

  /// What viewers have of it; what they wait at before the first answer.
  var snapshot: StreamSnapshot { state.withLock { $0.snapshot } ?? placeholder }

  /// The node that has it.
  var pool: UpstreamPool? { state.withLock { $0.pool } }

  func start() {
    interest.note(now: Self.second)
    let task = Task { await run() }
    state.withLock { $0.task = task }
  }

  func cancel() {
    let (task, question, arrival) = state.withLock { ($0.task, $0.question, $0.arrival) }
    task?.cancel()
    question?.cancel()
    arrival?.cancel()
  }

  /// The stream may be another node's: the open question is of no use any more, nor is what is
  /// still to come of a segment.
  func relocate() {
    let (question, arrival) = state.withLock { state in
      state.isMoved = true
      return (state.question, state.arrival)
    }
    question?.cancel()
    arrival?.cancel()
  }

  /// As `relocate`, where the stream is asked for at one of these nodes.
  ///
  /// - Parameter authorities: of nodes that don't answer any more.
  func leave(_ authorities: Set<String>) {
    let isThere = state.withLock { state in
      state.asked.map { authorities.contains($0.authority) } ?? false
    }
    if isThere { relocate() }
  }

  private static var second: UInt64 { MonotonicTime.now.nanoseconds / 1_000_000_000 }

  // MARK: Asking

  private func run() async {
    let before = state.withLock { $0.before.take() }
    var view =
      before.map { LiveView(after: $0, interest: interest, now: Self.second) }
      ?? LiveView(interest: interest, coming: comingInterest)
    var absence = StreamAbsence(live.configuration)
    var node: Upstream?
    var isDelayed = false
    var hasComeHome = false
    while !Task.isCancelled, isWanted {
      let place: LiveLocator.Place =
        if let node { LiveLocator.Place([node]) } else { await live.locator.find(key) }
      var (answer, from) = await question(place.nodes, view)
      if place.isPartial, answer == .absent {
        answer = place.nodes.isEmpty ? .unknown : .failed
      }
      let isMoved = state.withLock { state in
        defer { state.isMoved = false }
        return state.isMoved
      }
      if isMoved {
        node = nil
        if case .feed = answer {} else { continue }
      }
      if case .feed(var feed) = answer {
        absence.heard()
        if view.isEndOfOthers(feed) {
          if let (other, place) = await another(besides: from) { (feed, from) = (other, place) }
          // Where that was broken off nobody has said that it isn't elsewhere.
          guard !state.withLock({ $0.isMoved }) else { continue }
        }
        let isSame = node == from
        if !isSame { take(from) }
        // One that answered just before the stream moved is not asked again, or nobody hears of the
        // next segments until it has held that question for as long as it may.
        node = isMoved ? nil : from
        isDelayed = await apply(feed, to: &view, anyhow: isDelayed && isSame)
        continue
      }
      // After so long without news it may be elsewhere.
      node = nil
      if case .nothingNew = answer {
        // It has been told that the stream is over, and it isn't: all of it is asked for.
        if absence.isEnded { view = view.anew }
        absence.heard()
        continue
      }
      if place.isLive, answer == .absent, view.snapshot == nil {
        // Its publisher is there already, and its first segment is being made.
        try? await Task.sleep(for: live.configuration.firstPause)
        continue
      }
      if view.snapshot == nil, answer == .unknown { return end(.unknown) }
      let isEnded = view.isOver && !absence.isEnded && answer == .absent
      if view.snapshot == nil && answer == .absent || isEnded {
        return end(.absent)
      }
      if live.isHere(key) {
        // Viewers get it from this node itself: that others haven't got it any more is no loss.
        hasComeHome = true
        absence.heard()
        try? await Task.sleep(for: live.configuration.longestPause)
        continue
      }
      if absence.missed(at: .now), !hasComeHome {
        live.logger.warning(
          "stream lost", metadata: ["stream": "\(key)", "asked": "\(place.nodes)"])
      }
      if absence.isOverdue(at: .now) {
        guard !absence.isEnded, !view.isOver, end(&view) else {
          return end(answer == .absent ? .absent : .unknown)
        }
        absence.end(at: .now)
      }
      try? await Task.sleep(for: absence.nextPause() * Double.random(in: 0.5...1))
    }
    end(.unwatched)
  }

  private func end(_ reason: EdgeLive.End) {
    live.end(self, last: state.withLock { $0.snapshot }, as: reason)
  }

  /// Tells viewers that a stream is over that no node has had for the grace: nobody else will.
  ///
  /// - Returns: false where there is nothing that could be over.
  private func end(_ view: inout LiveView) -> Bool {
    guard let feed = view.ended,
      let snapshot = view.snapshot(of: feed, version: live.nextVersion())
    else { return false }
    live.logger.notice("stream ended, as no node has it", metadata: ["stream": "\(key)"])
    state.withLock { $0.snapshot = snapshot }
    live.publish(snapshot, askedAs: key)
    return true
  }

  private var isWanted: Bool {
    interest.isFresh(
      within: UInt64(live.configuration.idle.components.seconds), now: Self.second)
  }

  private enum Answer: Equatable, Sendable {
    case feed(StreamFeed)
    case nothingNew
    /// All nodes that were asked say that they haven't got it.
    case absent
    /// There is nobody to ask.
    case unknown
    /// Somebody couldn't be asked, and nobody else has it.
    case failed
  }

  /// Asks in a way that `relocate` can end.
  private func question(_ nodes: [Upstream], _ view: LiveView) async -> (Answer, Upstream?) {
    let task = Task { await ask(nodes, view) }
    let isMoved = state.withLock { state in
      state.question = task
      return state.isMoved
    }
    if isMoved { task.cancel() }
    return await task.value
  }

  /// Asks nodes, one after the other, until one has it.
  private func ask(_ nodes: [Upstream], _ view: LiveView) async -> (Answer, Upstream?) {
    var answer = Answer.absent
    let deadline =
      view.snapshot == nil ? live.configuration.firstDeadline : live.configuration.newsDeadline
    var question = view.question(key, now: Self.second)
    question += (question.contains("?") ? "&" : "?") + (await live.census(of: view.key ?? key))
    for node in nodes {
      do throws(HTTPClientError) {
        var request = live.request(question)
        request.scheme = node.scheme
        request.authority = node.authority
        state.withLock { $0.asked = node }
        let (response, body) = try await live.client.send(
          request, deadline: deadline, maxResponseBytes: live.configuration.feedBytes)
        switch response.status.code {
        case 200:
          guard let feed = StreamFeed(json: body) else { throw Self.noFeed }
          if let key = feed.key, live.locator.isStale(key, feed.epoch, node) {
            live.metrics.fenced.increment()
            continue
          }
          return (.feed(feed), node)
        case 204: return (.nothingNew, node)
        case 404: continue
        default: throw HTTPClientError(.brokenResponse, "status \(response.status.code)")
        }
      } catch {
        if Task.isCancelled { return (.failed, nil) }
        // What the others haven't got, this one may have.
        answer = .failed
        live.metrics.failures.increment()
        live.locator.failed(node)
        live.logger.info(
          "stream not told",
          metadata: ["stream": "\(key)", "asked": "\(node)", "error": "\(error)"])
      }
    }
    return (answer, nil)
  }

  /// Who has a stream on the air that another one has ended without having made anything of it.
  ///
  /// Its publisher may have gone on from there to another node, and nobody could tell that one:
  /// while Redis is away it waits for its publisher in vain.
  private func another(besides node: Upstream?) async -> (StreamFeed, Upstream)? {
    let nothing = LiveView(interest: interest, coming: comingInterest)
    for other in await live.locator.find(key).nodes where other != node {
      if case (.feed(let feed), let from?) = await question([other], nothing), !feed.isOver {
        return (feed, from)
      }
    }
    return nil
  }

  private static let noFeed = HTTPClientError(.brokenResponse, "that is no feed of a stream")

  private func take(_ node: Upstream?) {
    let pool = node.map { UpstreamPool([$0], rules: live.proxy.configuration.upstreamRules) }
    state.withLock { $0.pool = pool }
    live.logger.info(
      "stream found", metadata: ["stream": "\(key)", "asked": "\(node, default: "-")"])
  }

  // MARK: Handing on

  /// Hands on what is new, once its segments are here.
  ///
  /// - Parameters:
  ///   - feed: as it came.
  ///   - view: what viewers have.
  ///   - anyhow: whether also where they are not.
  /// - Returns: whether nothing was handed on, for a segment that did not come: its node may have
  ///   gone, and is asked once more.
  private func apply(
    _ feed: StreamFeed, to view: inout LiveView, anyhow: Bool
  ) async -> Bool {
    // What it learns of this answer counts where the answer is handed on.
    let before = view
    guard !LiveView.isBetween(feed, askedAs: key) else {
      try? await Task.sleep(for: live.configuration.firstPause)
      return false
    }
    let proxy = live.proxy
    let change = view.take(feed, grace: live.configuration.grace, now: .now) { path in
      proxy.has(LiveName.of(path))
    }
    guard let change else {
      live.metrics.stale.increment()
      // It will be asked again at once, and may be stale again.
      try? await Task.sleep(for: live.configuration.firstPause)
      return false
    }
    let areHere = await fetch(view.fresh(change, now: Self.second), of: change)
    let isMoved = state.withLock { $0.isMoved }
    guard areHere || anyhow && !isMoved else {
      live.metrics.delayed.increment()
      view = before
      try? await Task.sleep(for: live.configuration.firstPause)
      return true
    }
    guard !live.isHere(key),
      let snapshot = view.snapshot(of: change, version: live.nextVersion())
    else { return false }
    state.withLock { $0.snapshot = snapshot }
    live.metrics.updates.increment()
    live.publish(snapshot, askedAs: key)
    if let last = before.snapshot, last.key != snapshot.key { live.left(before, last, by: self) }
    return false
  }

  /// Has new segments here before anybody is told of them.
  ///
  /// - Returns: whether they are (`ArrivingSegments`); false also where the stream moves meanwhile.
  private func fetch(
    _ names: [(rendition: String, segment: String)], of feed: StreamFeed
  ) async -> Bool {
    guard !names.isEmpty else { return true }
    let (live, pool) = (live, pool)
    let length = feed.renditions.lazy.map(\.targetDuration).max() ?? 1
    let arrival = Task {
      await ArrivingSegments.wait(
        for: names.count, patience: live.configuration.segmentPatience, length: .seconds(length)
      ) { place, answered in
        let (rendition, segment) = names[place]
        let path = "/hls/\(feed.wedding)/\(feed.camera)/\(rendition)/\(segment)"
        live.metrics.pushed.increment()
        live.proxy.ask(
          live.request("/cluster\(path)"), name: LiveName.of(path), isShared: true, from: pool,
          patience: live.configuration.segmentStall, isOwn: true, done: answered)
      }
    }
    let isMoved = state.withLock { state in
      state.arrival = arrival
      return state.isMoved
    }
    // Else one that moved just before would be waited for until it stalls.
    if isMoved { arrival.cancel() }
    return await arrival.value
  }
}
