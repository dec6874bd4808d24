import EventLoop
import Ingest
import RTMP
import Telemetry

// What becomes of the stream when an origin takes it, refuses it or is lost.
extension RelayedStream {
  /// How often a stream that shall move asks where to, before it stays.
  private static let handoverTries = 5

  func took(_ event: ForwardingClient.Event, of leg: OriginLeg) {
    switch event {
    case .started: started(leg)
    case .drained: if leg === self.leg { pump() }
    // Where the origin itself goes on in another process, the next connection is to that one.
    // It sees to its viewers before it goes.
    case .reconnectRequested:
      guard leg === self.leg else { return }
      if leg.isReleased { return end(.ended, RelayNotice.endedByPublisher) }
      handOver(mayStay: true)
    // That it has heard the end is believed when it has gone on answering for a while (`check`).
    case .released: break
    // One that is coming says what is to be replayed to it; to the first one, nothing is.
    case .progressed(let progress):
      if leg === self.leg {
        grant = leg.grant
        progressed(progress)
      } else if leg === coming, isAdmitted {
        progressed(progress, isOfNext: true)
      }
    case .ended(let end): ended(leg, end)
    }
  }

  private func started(_ leg: OriginLeg) {
    guard leg === coming, !isOver else { return }
    if let old = self.leg {
      guard handover != nil else {
        coming = nil
        return leg.abandon()
      }
      return switchOver(to: leg, from: old)
    }
    coming = nil
    take(leg)
  }

  /// An origin has the stream from here on, where there was none.
  private func take(_ leg: OriginLeg) {
    self.leg = leg
    took(leg)
    // It may know of more that viewers have than was known when the one before it was lost.
    if isAdmitted { buffer.rewind() } else { progress = leg.beginning }
    let since = outage.map { MonotonicTime.now - $0.since } ?? .zero
    tell(
      isAdmitted ? .resumed : .taken, leg.target.name, "after \(Int(since / .milliseconds(1))) ms")
    admit()
    pump()
  }

  private func took(_ leg: OriginLeg) {
    had.insert(leg.target.name)
    grant = leg.grant
    mayHaveTaken = []
    if isTakenAway { hasTakenBack = true }
    isTakenAway = false
    handover = nil
    laterProgress = nil
  }

  private func ended(_ leg: OriginLeg, _ end: ClientEnd) {
    if let index = leaving.firstIndex(where: { $0 === leg }) {
      leaving.remove(at: index)
      return removeWhenEmpty()
    }
    // What it says of the publisher or of its media is no failure of its own.
    if !end.isFinal { relay.metrics.failed(end.label) }
    if leg === coming {
      coming = nil
      guard !isOver else { return }
      switch end {
      // Another address may answer where this one did not.
      case .unreachable, .timedOut(.connecting), .lost(.connecting):
        approachNext(leg.target, after: end)
      default: failed(leg.target, end)
      }
    } else if leg === self.leg {
      self.leg = nil
      if !isOver { lost(leg, end) }
    }
  }

  // MARK: Losing one

  /// The origin that had the stream has it no more.
  private func lost(_ leg: OriginLeg, _ end: ClientEnd) {
    if case .ended(let status) = end, status.endCause == .media {
      return rejectMedia(status.words, leg.target.name)
    }
    tell(.lost, leg.target.name, "\(end)")
    if leg.isReleased { leaveAnew() }
    var outage = self.outage ?? Outage(since: .now)
    outage.losses += 1
    outage.excluded.insert(leg.target.name)
    outage.words = "its server was lost, and no other one takes the stream"
    if case .ended(let status) = end {
      isTakenAway = status.saysElsewhere && !hasTakenBack
    }
    // One that is about to give the stream up may hear first that the next one has it.
    if case .ended(let status) = end, coming == nil || status.isFinal {
      // What two origins in a row say is about the stream.
      let isRepeated = outage.refusal?.code == status.code && outage.refusal?.text == status.text
      if status.isFinal || isRepeated {
        return refuse(status.refusal, status.words, for: "ended by the origin")
      }
      outage.refusal = status
      outage.words = status.words
    }
    self.outage = outage
    countLoss()
    buffer.rewind()
    guard outage.losses <= configuration.lossesPerOutage else { return giveUp() }
    handover = nil
    pump()
    seek()
  }

  /// Refuses what the publisher sends, as its origin has, which ends it: no other one could use it
  /// either.
  private func rejectMedia(_ words: String, _ origin: String) {
    let connection = connection
    end(.refused, words, by: origin)
    connection?.reject(words)
  }

  /// The node knows that an origin is gone.
  func originLost(_ name: String) {
    guard let leg, leg.target.name == name, !isOver else { return }
    leg.abandon()
    self.leg = nil
    relay.metrics.failed("gone")
    lost(leg, .lost(.streaming))
  }

  func giveUp() {
    relay.metrics.givenUp.increment()
    refuse(.failed, outage?.words ?? "no origin takes the stream now", for: "no origin")
  }

  // MARK: Finding one

  func begin() {
    outage = Outage(since: .now)
    seek()
  }

  /// An origin didn't take the stream.
  func failed(_ target: RelayTarget, _ end: ClientEnd) {
    tell(.failed, target.name, "\(end)")
    // One that says nothing may have taken it, and so may one that has no room for it: it finds
    // that out with the stream in its hands, and lets go of it again.
    let hasNotTaken = if case .refused(let status) = end { status.isAboutPublisher } else { false }
    if !hasNotTaken { mayHaveTaken.insert(target.name) }
    if leg != nil { return handoverFailed(target) }
    outage?.excluded.insert(target.name)
    if case .refused(let status) = end {
      // An origin may know before others that the one before it is gone: it is asked again.
      let isFinal = status.isAboutPublisher && !(isAdmitted && status.refusal == .badName)
      if isFinal { return refuse(status.refusal, status.words, for: "refused by the origin") }
      outage?.refusal = status
      outage?.words = status.words
    }
    retryLater()
  }

  /// There is no origin for the stream, or no other one.
  func foundNone() {
    if leg != nil { return handoverFailed(nil) }
    if !isAdmitted, let status = outage?.refusal {
      return refuse(status.refusal, status.words, for: "refused by the origin")
    }
    // Those that failed may be back.
    outage?.excluded = []
    retryLater()
  }

  // MARK: Moving

  /// Moves the stream to another origin, which goes on from what viewers have.
  ///
  /// - Parameter mayStay: whether another connection to the same one will do.
  /// - Returns: whether it is about to.
  @discardableResult
  func handOver(mayStay: Bool = false) -> Bool {
    guard !isOver, left == nil, let leg, leg.isStarted, handover == nil else {
      return handover != nil
    }
    handover = Outage(since: .now, excluded: mayStay ? [] : [leg.target.name])
    seek()
    return true
  }

  private func handoverFailed(_ target: RelayTarget?) {
    guard handover != nil else { return }
    if let target { handover?.excluded.insert(target.name) }
    guard let pauses = handover?.pauses, pauses < Self.handoverTries else {
      handover = nil
      takeLaterProgress()
      return tell(.notHandedOver, origin, "no other origin takes the stream")
    }
    retryLater()
  }

  /// Another origin has the stream from what viewers have on.
  ///
  /// What the one before it has of a segment is not to be announced, as the next one makes all of
  /// it under the same number: it closes the connection when it hears that it has lost the stream.
  private func switchOver(to next: OriginLeg, from old: OriginLeg) {
    coming = nil
    leg = next
    took(next)
    leaving.append(old)
    old.rest()
    buffer.rewind()
    isCatchingUp = true
    relay.metrics.handovers.increment()
    tell(.handedOver, next.target.name, "from \(old.target.name)")
    pump()
  }
}

extension Status {
  /// Whether any origin would say it: the token, or that somebody else has the stream.
  var isAboutPublisher: Bool { refusal != .failed }

  /// Whether no other origin shall go on with a stream that was ended so.
  var isFinal: Bool { isAboutPublisher || endCause == .dropped || endCause == .media }

  /// Whether an origin has lost the stream to another one.
  ///
  /// Origins of the version before say so in these words alone.
  var saysElsewhere: Bool {
    endCause == .elsewhere || (endCause == nil && text == "another server has this stream now")
  }

  var refusal: ServerSession.PublishRefusal {
    ServerSession.PublishRefusal(rawValue: code) ?? .failed
  }

  var words: String { text.isEmpty ? code : text }
}

extension ClientEnd {
  /// Whether an origin that had the stream has ended it for good, and has not failed.
  fileprivate var isFinal: Bool {
    if case .ended(let status) = self { status.isFinal } else { false }
  }
}
