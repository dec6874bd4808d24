import EventLoop
import Ingest
import Media
import RTMP
import Telemetry

/// One publisher's stream on its way to an origin, and to the next one when that is lost.
final class RelayedStream {
  /// A time without an origin, from its beginning until one has settled.
  struct Outage {
    let since: MonotonicTime
    /// Origins that have failed in it.
    var excluded: Set<String> = []
    /// Pauses that were made.
    var pauses = 0
    /// Origins that took the stream, and were lost.
    var losses = 0
    /// Why the last one failed, for a person.
    var words = "no origin takes the stream now"
    /// What an origin said when it didn't take the stream, or ended it.
    var refusal: Status?
  }

  let id: UInt64
  let key: StreamKey
  let publication: PublicationID
  unowned let relay: PublishRelay
  let configuration: RelayConfiguration
  private let metrics: RelayMetrics
  private let name: StreamName
  private let connect: ConnectRequest
  let peer: SocketAddress
  var buffer: ReplayBuffer
  /// The origin that has the stream.
  var leg: OriginLeg?
  /// One that is on its way, to take the stream over or in place of a lost one.
  var coming: OriginLeg?
  /// Those that only still hear the end.
  var leaving: [OriginLeg] = []
  var outage: Outage?
  /// What the stream is moved for: the origins that it shall not go to; nil: it stays.
  var handover: Outage?
  /// Addresses of the origin on its way that were not tried yet.
  private var candidates: [SocketAddress] = []
  /// Whether the publisher has been let in.
  var isAdmitted = false
  /// When the publisher left, and whether it said so.
  private(set) var left: (at: MonotonicTime, saysSo: Bool)?
  private(set) var isOver = false
  /// Counts questions where the stream shall go, so that a late answer finds nothing.
  private var question: UInt64 = 0
  private var askedAt: MonotonicTime?
  private var pause: ScheduledWork?
  private var isHeldBack = false
  var isCatchingUp = false
  private var failovers = 0
  /// The names of the origins that have taken it.
  var had: Set<String> = []
  /// How far viewers have it, as its origin said last: the next one is told so, and given what
  /// follows.
  var progress: RelayProgress?
  /// Under which grant its origin has it, or had it when it was lost; nil where none has said so.
  var grant: StreamGrant?
  /// The names of the origins that may have taken it since, which nobody has heard of.
  var mayHaveTaken: Set<String> = []
  /// Whether its last origin said that another one has the stream, for the first time: two
  /// publishers whose edges both took it back would do so for ever.
  var isTakenAway = false
  var hasTakenBack = false
  /// The same, said while the next one is on its way, which has been told something else.
  var laterProgress: RelayProgress?
  private var countedKept = 0
  private var countedReplayed = 0
  private var countedLost = 0

  init(
    id: UInt64, key: StreamKey, publication: PublicationID, name: StreamName,
    connect: ConnectRequest, peer: SocketAddress, relay: PublishRelay
  ) {
    self.id = id
    self.key = key
    self.publication = publication
    self.name = name
    self.connect = connect
    self.peer = peer
    self.relay = relay
    configuration = relay.configuration
    metrics = relay.metrics
    buffer = ReplayBuffer(
      limitBytes: configuration.replayBytes,
      spanMilliseconds: Int(configuration.replaySpan.nanoseconds / 1_000_000))
  }

  var connection: RTMPConnection? { publication.connection(on: relay.loop) }
  var origin: String? { leg?.target.name }

  var status: RelayStatus {
    RelayStatus(
      stream: key, address: peer.host, origin: origin, keptBytes: buffer.keptBytes,
      waitingBytes: buffer.waitingBytes + (leg?.waitingBytes ?? 0), isHeldBack: isHeldBack,
      failovers: failovers)
  }

  func tell(_ kind: RelayNotice.Kind, _ origin: String?, _ words: String) {
    relay.handlers.notice(
      RelayNotice(kind: kind, stream: key, address: peer.host, origin: origin, words: words))
  }

  // MARK: Messages

  private func receive(_ kind: PublishSink.Kind, _ message: Message) {
    if !isOver { buffer.append(kind, message, at: LogTime.now.milliseconds) }
  }

  /// Gives the origin what its connection has room for, and holds the publisher back where too much
  /// waits.
  func pump() {
    guard !isOver else { return }
    while let leg, leg.isStarted, leg.waitingBytes < configuration.connectionQueueBytes {
      guard buffer.take(after: leg.writtenBytes, { leg.send($0) }) else { break }
    }
    if let leg { buffer.readBytes = leg.readBytes }
    buffer.trim()
    hold()
    count()
    if left != nil { leaveWhenDrained() }
  }

  private func hold() {
    let waiting = buffer.waitingBytes + (leg?.waitingBytes ?? 0)
    if leg == nil { isCatchingUp = true }
    if waiting <= configuration.queueBytes { isCatchingUp = leg == nil }
    // Without an origin, and until a new one has caught up, all of the buffer may fill.
    let tooMuch = buffer.isFull || (!isCatchingUp && waiting > configuration.queueBytes)
    let isEnough = !buffer.isFull && (isCatchingUp || waiting <= configuration.queueBytes / 2)
    if tooMuch, !isHeldBack {
      guard let connection, isAdmitted else { return }
      isHeldBack = true
      connection.holdBack()
      relay.metrics.holdBacks.increment()
      relay.metrics.heldBack.increment()
    } else if isHeldBack, isEnough {
      release()
    }
  }

  private func release() {
    guard isHeldBack else { return }
    isHeldBack = false
    relay.metrics.heldBack.decrement()
    connection?.goOn()
  }

  private func count() {
    if buffer.keptBytes != countedKept {
      metrics.keptBytes.add(buffer.keptBytes - countedKept)
      countedKept = buffer.keptBytes
    }
    if buffer.replayed != countedReplayed {
      metrics.replayedMessages.add(buffer.replayed - countedReplayed)
      countedReplayed = buffer.replayed
    }
    if buffer.lost != countedLost {
      metrics.lostMessages.add(buffer.lost - countedLost)
      countedLost = buffer.lost
    }
  }

  /// The origin's viewers have the stream up to here: what was before it needs no replay.
  ///
  /// - Parameters:
  ///   - progress: as it was said.
  ///   - isOfNext: whether the next origin says so, which goes on there.
  func progressed(_ progress: RelayProgress, isOfNext: Bool = false) {
    let isSeeking = coming != nil || askedAt != nil
    if let date = progress.date { buffer.note(date) }
    guard isOfNext || !isSeeking else { return laterProgress = progress }
    // The last segment before this publisher's first one: where it ends is said by another's clock.
    let isEarlier = self.progress.map { $0.end == nil && $0.sequence == progress.sequence } ?? false
    if isEarlier { return }
    self.progress = progress
    guard let end = progress.end else { return }
    buffer.announce(end)
    pump()
  }

  /// No other origin has been told anything that this would make untrue.
  func takeLaterProgress() {
    guard let later = laterProgress else { return }
    laterProgress = nil
    progressed(later)
  }

  // MARK: The publisher

  /// Lets the publisher in: an origin has its stream.
  func admit() {
    guard !isAdmitted, let connection else { return }
    isAdmitted = true
    connection.acceptPublish(
      PublishSink(
        receive: { [self] in receive($0, $1) }, flush: { [self] in pump() },
        ended: { [self] in publisherLeft($0) }))
  }

  /// The publisher has ended its stream, or is gone.
  func publisherLeft(_ end: PublicationEnd) {
    guard !isOver, left == nil else { return }
    let saysSo = if case .said = end { true } else { false }
    left = (.now, saysSo)
    guard isAdmitted else { return self.end(.ended, "left before an origin took the stream") }
    release()
    handover = nil
    if leg != nil { seekNoMore() }
    pump()
  }

  /// An origin that had heard the end was lost before all was with viewers: the next one has as
  /// long.
  func leaveAnew() { left?.at = .now }

  /// Lets go of an origin that is on its way, or of the question for one.
  private func seekNoMore() {
    question += 1
    askedAt = nil
    if let pause { relay.loop.cancel(pause) }
    pause = nil
    if let coming { mayHaveTaken.insert(coming.target.name) }
    coming?.abandon()
    coming = nil
  }

  /// Closes the publisher, in these words.
  func refuse(_ refusal: ServerSession.PublishRefusal, _ words: String, for reason: String) {
    let connection = connection
    end(.refused, words)
    guard let connection else { return }
    if isAdmitted {
      connection.revoke(refusal, words, for: reason)
    } else {
      connection.refusePublish(refusal, words)
    }
  }

  private func leaveWhenDrained() {
    guard let leg, let left, buffer.isDrained, !leg.isFinishing else { return }
    // An origin that is lost before it answers may not have announced the last of it; edges may not
    // have that where it is lost right after.
    if left.saysSo { return leg.finish(saysSo: true, awaitsRelease: true) }
    self.leg = nil
    leaving.append(leg)
    end(.ended, "the publisher is gone")
    leg.finish(saysSo: false)
  }

  // MARK: The end

  /// Ends it, as an origin has that it has no more; what is with its origin's connection still goes
  /// out.
  func end(_ kind: RelayNotice.Kind, _ words: String, by ender: String? = nil) {
    guard !isOver else { return }
    release()
    isOver = true
    seekNoMore()
    tell(kind, ender ?? origin, words)
    if let leg {
      self.leg = nil
      leaving.append(leg)
      leg.finish(saysSo: true)
    }
    buffer = ReplayBuffer(limitBytes: 0, spanMilliseconds: 0)
    relay.metrics.keptBytes.add(-countedKept)
    countedKept = 0
    removeWhenEmpty()
  }

  func removeWhenEmpty() {
    if isOver, leaving.isEmpty { relay.removed(self) }
  }

  // MARK: Time

  func check(_ now: MonotonicTime) {
    leg?.check(now)
    coming?.check(now)
    for leg in leaving { leg.check(now) }
    guard !isOver else { return }
    pump()
    guard !isOver else { return }
    if let askedAt, now - askedAt > configuration.placeTimeout { answered(question, nil) }
    if let started = leg?.startedAt, now - started >= configuration.settledAfter { outage = nil }
    if let leg, leg.isReleased {
      if leg.hasSettled { end(.ended, RelayNotice.endedByPublisher) }
      return
    }
    if let left, now - left.at > configuration.leaveWithin {
      relay.metrics.givenUp.increment()
      return end(.cutShort, "the publisher is gone, and no origin has taken all of its stream")
    }
    guard leg == nil, let outage else { return }
    let patience = isAdmitted ? configuration.giveUpAfter : configuration.admitWithin
    if now - outage.since > patience { giveUp() }
  }

  // MARK: Where it shall go

  /// Asks where the stream shall go.
  func seek() {
    guard !isOver, coming == nil, askedAt == nil else { return }
    if let pause { relay.loop.cancel(pause) }
    pause = nil
    takeLaterProgress()
    question += 1
    askedAt = .now
    let id = id
    let number = question
    let mailbox = relay.loop.mailbox
    let excluded = (handover ?? outage)?.excluded ?? []
    let question = PlaceQuestion(
      key: key, excluded: excluded, progress: progress, isEnding: left != nil, had: had,
      grant: grant, mayHaveTaken: mayHaveTaken, isTakenAway: isTakenAway,
      date: isAdmitted ? buffer.date : nil)
    relay.handlers.place(question) { target in
      mailbox.submit {
        $0.local(PublishRelay.self)?.stream(id)?.answered(number, target)
      }
    }
  }

  func answered(_ question: UInt64, _ target: RelayTarget?) {
    guard question == self.question, !isOver, askedAt != nil else { return }
    guard let target else {
      askedAt = nil
      self.question += 1
      return foundNone()
    }
    if let address = SocketAddress(host: target.host, port: target.port) {
      askedAt = nil
      return approach(target, [address])
    }
    let id = id
    let mailbox = relay.loop.mailbox
    HostNames.lookUp(target.host, port: target.port) { addresses in
      mailbox.submit {
        $0.local(PublishRelay.self)?.stream(id)?.lookedUp(question, target, addresses)
      }
    }
  }

  private func lookedUp(
    _ question: UInt64, _ target: RelayTarget, _ addresses: [SocketAddress]
  ) {
    guard question == self.question, !isOver, askedAt != nil else { return }
    askedAt = nil
    if addresses.isEmpty { return failed(target, .unknownHost(target.host)) }
    approach(target, addresses)
  }

  private func approach(_ target: RelayTarget, _ addresses: [SocketAddress]) {
    guard coming == nil else { return }
    candidates = addresses.reversed()
    approachNext(target, after: .unknownHost(target.host))
  }

  /// Connects to the next address of an origin.
  func approachNext(_ target: RelayTarget, after end: ClientEnd) {
    guard let address = candidates.popLast() else { return failed(target, end) }
    let introduction = OriginLeg.Introduction(
      connect: connect,
      streamName: name.forOrigin(
        resumes: isAdmitted, isHandover: leg != nil, as: target.resume),
      proxied: configuration.sendsProxyHeader ? peer : nil)
    do throws(SystemError) {
      coming = try OriginLeg(to: target, at: address, introduction, for: relay) {
        [self] leg, event in took(event, of: leg)
      }
    } catch {
      approachNext(target, after: .unreachable(error))
    }
  }

  func countLoss() {
    failovers += 1
    relay.metrics.failovers.increment()
  }

  /// Asks again after a pause, each one longer than the one before it.
  func retryLater() {
    guard !isOver, pause == nil else { return }
    let pauses = (handover ?? outage)?.pauses ?? 0
    if handover != nil { handover?.pauses += 1 } else { outage?.pauses += 1 }
    let doubled = configuration.firstBackoff * (1 << min(pauses, 16))
    let wait = min(doubled, configuration.lastBackoff)
    pause = relay.loop.schedule(after: wait) { [id, unowned relay] in
      relay.stream(id)?.pauseIsOver()
    }
  }

  private func pauseIsOver() {
    pause = nil
    seek()
  }
}
