import Operator
import Access
import ControlAPI
package import EventLoop
package import Ingest
import Logging
import Media
import RTMP
package import TLS
import Viewers

/// The origin on one loop: takes publishers and RTMP players, and gives their streams to viewers.
package final class OriginLoop {
  package let ingest: IngestServer
  let loop: Loop
  private let node: OriginNode
  private let relay: RelayTable
  private var tokens: VerifiedTokens
  /// Weddings that ordinary watch tokens don't open.
  package var locked: Set<String> = []
  /// Those who publish or play, by their connection.
  var asks: [ChannelID: ClientAsk] = [:]
  /// Those that have their publisher here.
  private var streams: [StreamKey: LiveStream] = [:]
  /// Those whose publisher has gone and whose last segments are still being made here.
  let leaving: LeavingStreams

  /// Makes the loop's part and registers it, and its relay table, with the loop.
  package init(on loop: Loop, node: OriginNode, buffers: TLSBuffers) {
    self.loop = loop
    self.node = node
    leaving = LeavingStreams(on: loop, counting: node.keptBack)
    tokens = VerifiedTokens(node.verifier, capacity: node.configuration.rememberedTokens)
    let place = node.traffic.place()
    relay = RelayTable(
      loop: loop, directory: node.relays, configuration: node.configuration.ingest,
      count: { [traffic = node.traffic] key in
        let share = traffic.share(of: key, at: place)
        // Players get what the publisher sends.
        return PlayerCount(
          share.tally(SentBytes.Line(.players, Renditions.sourceName)), keeper: share)
      })
    // The server outlives its handlers' calls, and this object keeps the server.
    let owner = WeakOwner()
    ingest = IngestServer(
      loop: loop, configuration: node.configuration.ingest, relay: relay,
      handlers: IngestHandlers(
        publish: { owner.value?.publish($0, $1) }, play: { owner.value?.play($0, $1) },
        closed: { _, _ in }),
      metrics: node.metrics, buffers: buffers)
    owner.value = self
    loop.setLocal(relay)
    loop.setLocal(self)
  }

  private final class WeakOwner {
    weak var value: OriginLoop?
  }

  private var now: Int64 { StreamOutlet.wallClockMilliseconds / 1_000 }

  // MARK: Publishers

  private func publish(_ connection: RTMPConnection, _ request: PublishRequest) {
    let address = RequestedStream(request.name, connect: connection.connectRequest)
    guard node.health.takesPublishers else {
      return refuse(
        connection, .failed, "this server takes no new streams now; connect to another one")
    }
    let token = Array((address.token ?? "").utf8)
    let claims: Claims
    do throws(Refusal) {
      claims = try tokens.accept(
        token.span, for: .publish(wedding: address.wedding, camera: address.camera), now: now)
    } catch {
      let isKey = error.reason == .missing && address.mayBeKey
      return refuse(
        connection, .denied,
        isKey ? "the stream key is no token; copy the whole key that was made for it" : "\(error)")
    }
    guard let key = StreamKey(wedding: claims.wedding ?? "", camera: claims.publishCamera) else {
      return refuse(connection, .denied, "the token names no stream")
    }
    if let words = node.cameras.refusal(key, { CredentialDigest.of(token) }) {
      return refuse(connection, .denied, words)
    }
    if let words = refusal(ofAnotherCamera: key, claims) {
      return refuse(connection, .denied, words)
    }
    let ask = ClientAsk(
      .publish, connection, request.name, key: key, claims: claims, clientID: node.nextClient())
    let publication = connection.publicationID
    let publisher = Publisher(
      id: ask.clientID, tokenID: CredentialDigest.of(token), priority: claims.priority,
      address: ask.address, loop: loop.mailbox, publication: publication, stream: key)
    let mailbox = loop.mailbox
    node.errands.run { [node] in
      let result = await node.admit(ask, publisher)
      let isAlive = mailbox.submit { loop in
        loop.local(OriginLoop.self)?.admitted(result, ask, publication, token)
      }
      if !isAlive, case .success(let claim) = result {
        await node.left(ask, claim, "gone before it was admitted")
      }
    }
  }

  /// Why a camera is one too many for its wedding; nil where it isn't.
  private func refusal(ofAnotherCamera key: StreamKey, _ claims: Claims) -> String? {
    let plans = node.configuration.streams.plans
    let number = plans.number(ofPublisher: claims.plan)
    let limit = plans.cameras(in: number)
    guard limit < .max, node.board.liveCount(besides: key) >= limit else { return nil }
    return
      "the plan \(plans.name(number) ?? "") has \(limit) camera\(limit == 1 ? "" : "s") at a time, "
      + "and \(limit == 1 ? "another one is" : "others are") live; stop one, or take a plan with more"
  }

  /// Refuses a publisher whose token says no stream, or not this one; the operator hears of it.
  private func refuse(
    _ connection: RTMPConnection, _ refusal: ServerSession.PublishRefusal, _ words: String
  ) {
    connection.refusePublish(refusal, words)
    refused("publish.refused", connection, words)
  }

  /// Refuses a player, and tells the operator.
  private func refuse(
    _ connection: RTMPConnection, _ streamID: UInt32, _ refusal: ServerSession.PlayRefusal,
    _ words: String
  ) {
    connection.refusePlay(streamID, refusal, words)
    refused("play.refused", connection, words)
  }

  /// Logs a refusal, away from the loop.
  ///
  /// The name that was asked for may be a token: it is left out.
  private func refused(_ event: Logger.Message, _ connection: RTMPConnection, _ words: String) {
    let address = connection.peer.host
    let encoder = connection.connectRequest?.flashVersion ?? ""
    node.errands.run { [node] in
      node.log(event, address: address, encoder: encoder, ["reason": "\(words)"])
    }
  }

  /// Takes what was decided about a publication, which may be gone by now.
  private func admitted(
    _ result: Result<Claim, PublishDenial>, _ ask: ClientAsk, _ publication: PublicationID,
    _ token: [UInt8]
  ) {
    let connection = publication.connection(on: loop)
    switch result {
    case .failure(let denial): connection?.refusePublish(denial.status, denial.words)
    case .success(let claim):
      // One that was evicted meanwhile is ending, so nobody else can have the stream by now.
      guard let connection, !connection.isEnding else {
        return node.errands.run { [node] in
          await node.left(ask, claim, "gone before it was admitted")
        }
      }
      // Its camera may have been removed while the backend was asked; from here on removing ends
      // it.
      if let words = node.cameras.refusal(claim.key, { CredentialDigest.of(token) }) {
        refuse(connection, .denied, words)
        return node.errands.run { [node] in await node.left(ask, claim, words) }
      }
      attach(claim, ask, connection)
    }
  }

  private func attach(_ claim: Claim, _ ask: ClientAsk, _ connection: RTMPConnection) {
    let stream = claim.box.stream
    let publication = connection.publicationID
    let mailbox = loop.mailbox
    var onProgress: (@Sendable (StreamLeasing.Progress) -> Void)?
    var progress: RelayProgress?
    var grant: StreamGrant?
    if ask.name["relay"] != nil {
      let leasing = node.leasing
      let program = { @Sendable [programs = node.programs] in
        programs.place(of: claim.key.wedding, under: leasing)
      }
      // Another publisher may be granted it under the same lease before this one has heard all.
      let current = { @Sendable in
        leasing?.epoch(claim.key).map { StreamGrant(epoch: $0, turn: claim.turn) }
      }
      grant = current()
      progress = stream.progress(inherited: claim.after).map {
        RelayProgress($0, program: program())
      }
      onProgress = { progress in
        let grant = current()
        // Its segments come to the program by another way: what that has shown of them may be less
        // or more than what is told here, and both together say what is to be shown next.
        let told = RelayProgress(progress, program: program())
        mailbox.submit {
          publication.connection(on: $0)?.tell(told, under: grant)
        }
      }
    }
    stream.begin(
      on: loop, plan: ask.claims?.plan, wantKey: { [self] in makeKey(claim, publication) },
      onProgress: onProgress, after: claim.after
    ) { refusal in
      // Later, because the stream is in the middle of a message now.
      mailbox.submit {
        publication.connection(on: $0)?
          .reject(refusal.words, for: refusal.isOfCodec ? .media : nil)
      }
    }
    if ask.name["relay"] != nil, ask.name["resume"] != nil {
      stream.goOn(from: claim.date)
    }
    relay.attach(stream.relay)
    streams[claim.key] = stream
    asks[connection.id] = ask
    connection.acceptPublish(
      PublishSink(
        receive: { stream.receive($0, $1) },
        flush: { stream.flush() },
        ended: { [self] reason in
          asks[publication.channel] = nil
          relay.detach(claim.key, isOver: false)
          streams[claim.key] = nil
          leaving.begin(claim.key, reason, after: patience(ask, reason)) { [self] reason, done in
            stream.interrupt(reason) { [self] in
              node.errands.run { [node] in await node.left(ask, claim, reason.words) }
              done()
            }
          }
        }), after: progress, under: grant)
  }

  /// How long the last part of a segment is kept back: an edge whose connection breaks off may go
  /// on with another origin, which makes all of that segment.
  private func patience(_ ask: ClientAsk, _ end: PublicationEnd) -> Duration {
    guard node.leasing != nil, ask.name["relay"] != nil, case .brokenOff = end else {
      return .zero
    }
    return node.configuration.streams.relayPatience
  }

  /// Makes a key for a stream, and hands it over where the publisher is still the same.
  private func makeKey(_ claim: Claim, _ publication: PublicationID) {
    guard let keys = node.keys else { return }
    let mailbox = loop.mailbox
    node.errands.run { [errands = node.errands] in
      let key = await keys.make(for: claim.key)
      _ = mailbox.submit { loop in
        if publication.connection(on: loop)?.isPublishing == true {
          claim.box.stream.add(key)
        } else {
          errands.run { await keys.retire(key.id, neededFor: 0) }
        }
      }
    }
  }

  // MARK: Players

  private func play(_ connection: RTMPConnection, _ request: PlayRequest) {
    let address = RequestedStream(request.name, connect: connection.connectRequest)
    let wanted: (key: StreamKey?, shown: StreamKey?, claims: Claims?)
    do throws(Refusal) {
      wanted = try accept(address)
    } catch {
      return refuse(connection, request.streamID, .failed, "\(error)")
    }
    guard let key = wanted.shown else {
      return refuse(
        connection, request.streamID, .notFound, "there can be no stream of that name")
    }
    let ask = ClientAsk(
      .play, connection, request.name, key: key, claims: wanted.claims,
      clientID: node.nextClient(), plays: wanted.key)
    guard let question = node.hooks.onPlay else {
      return accept(connection, request.streamID, ask)
    }
    let mailbox = loop.mailbox
    let channel = connection.id
    let streamID = request.streamID
    node.errands.run { [node] in
      let refusal = await question(ask)
      if let refusal { node.log("play.refused", ask, ["reason": "\(refusal)"]) }
      let isAlive = mailbox.submit { loop in
        loop.local(OriginLoop.self)?.answered(refusal, ask, channel, streamID)
      }
      if !isAlive, refusal == nil { await node.hooks.onPlayDone?(ask) }
    }
  }

  /// Takes what the backend said about a player, which may be gone by now.
  private func answered(
    _ refusal: Refusal?, _ ask: ClientAsk, _ channel: ChannelID, _ streamID: UInt32
  ) {
    let connection = loop.channel(channel) as? RTMPConnection
    if let refusal {
      connection?.refusePlay(streamID, .failed, "\(refusal)")
    } else if let connection {
      accept(connection, streamID, ask)
    } else {
      played(ask)
    }
  }

  /// Which stream a player means, and whether it may have it: a token is for what is played.
  ///
  /// - Returns: the stream, a wedding's program where no camera is named; the camera that it shows
  ///   now; and what the token says.
  private func accept(
    _ address: RequestedStream
  ) throws(Refusal) -> (key: StreamKey?, shown: StreamKey?, claims: Claims?) {
    let isLocked = address.wedding.map { locked.contains($0) } ?? false
    guard node.configuration.watchNeedsToken || isLocked || address.wedding == nil else {
      let shown = shown(by: address.key(Program.name))
      try checkSource(shown, plan: nil)
      return (address.key(Program.name), shown, nil)
    }
    let token = Array((address.token ?? "").utf8)
    let claims = try tokens.claims(of: token.span, now: now)
    let wedding = address.wedding ?? claims.wedding ?? ""
    let camera = address.camera ?? claims.camera ?? Program.name
    try claims.check(
      .watch(wedding: wedding, camera: camera, isLocked: locked.contains(wedding)))
    let key = StreamKey(wedding: wedding, camera: camera)
    let shown = shown(by: key)
    try checkSource(shown, plan: claims.plan)
    return (key, shown, claims)
  }

  /// The camera that a stream shows at the moment; itself, where it is no program.
  private func shown(by key: StreamKey?) -> StreamKey? {
    guard let key, key.camera == Program.name else { return key }
    let active = node.programs.status(of: key.wedding)?.active
    return StreamKey(wedding: key.wedding, camera: active ?? Claims.mainCamera)
  }

  /// Refuses a player where the source, which is what RTMP plays, is not in its plan or the
  /// stream's.
  private func checkSource(_ key: StreamKey?, plan: String?) throws(Refusal) {
    let streams = node.configuration.streams
    guard streams.ladder != nil else { return }
    let name = Renditions.sourceName
    let source = key.flatMap { node.board[$0]?.renditions.first { $0.name == name } }
    let number = streams.plans.number(ofViewer: node.configuration.watchNeedsToken ? plan : nil)
    guard source?.isOpen != false, streams.plans.allows(Renditions.sourceName, in: number) else {
      throw Refusal(.otherPlan)
    }
  }

  private func accept(_ connection: RTMPConnection, _ streamID: UInt32, _ ask: ClientAsk) {
    let channel = connection.id
    asks[channel] = ask
    connection.acceptPlay(streamID, of: ask.plays) { [self] in
      asks[channel] = nil
      played(ask)
    }
  }

  /// A player that the backend has admitted plays no more.
  private func played(_ ask: ClientAsk) {
    guard let notice = node.hooks.onPlayDone else { return }
    node.errands.run { await notice(ask) }
  }

  // MARK: The end

  /// Takes no more clients, and asks those that can to connect again, to another server.
  package func drain() {
    ingest.stopAccepting()
    ingest.forEachConnection { $0.requestReconnect(to: nil, "this server is being stopped") }
  }

  /// Ends every connection in order, so that each stream is given back whole.
  ///
  /// - Parameters:
  ///   - reason: for the metric.
  ///   - done: called when all are closed, within seconds.
  package func end(_ reason: String, done: @escaping () -> Void) {
    ingest.forEachConnection { $0.stop(reason) }
    ingest.whenEmpty { [self] in leaving.whenAllAreGone(done) }
  }

  /// Gives the next segment of each stream of a wedding another key.
  ///
  /// - Returns: how many of them have their publisher here.
  func rotateKeys(ofWedding wedding: String) -> Int {
    let here = streams.values.filter { $0.key.wedding == wedding }
    for stream in here { stream.rotateKey() }
    return here.count
  }

  /// Records a stream from now on.
  ///
  /// - Returns: whether its publisher is here.
  func record(_ key: StreamKey) -> Bool {
    guard let stream = streams[key] else { return false }
    stream.record()
    return true
  }

  /// What a stream that has its publisher here has for viewers.
  func seed(_ key: StreamKey) -> ProgramSeed? { streams[key]?.seed() }
}
