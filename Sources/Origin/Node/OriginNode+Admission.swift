import Access
import Events
import HLS
import Logging
package import Media
import RTMP

/// Who may publish a stream, and what becomes of the cluster's lease of it.
extension OriginNode {
  /// Decides about a publisher whose token is good: claims the stream, then asks the backend.
  ///
  /// Where somebody is on air the backend comes first: a newcomer that it refuses, or that it is
  /// silent about, pushes nobody off.
  func admit(_ ask: ClientAsk, _ publisher: Publisher) async -> Result<Claim, PublishDenial> {
    admissions.begin(ask.key)
    // A program that shows it with a process before this one doesn't take it for lost.
    let mayMove = leasing?.watch != nil
    if mayMove { await programs.run(ask.key.wedding) { $0.welcome(ask.key.camera) } }
    let result = await decide(ask, publisher)
    // Before its first message: what was ordered, wherever that was, goes along with the stream.
    if case .success = result { await orders?.learn(ask.key, isBeginning: true) }
    admissions.end(ask.key)
    if case .failure = result {
      if mayMove { await programs.run(ask.key.wedding) { $0.keepHere(ask.key.camera) } }
      await unlease(ask.key)
    }
    return result
  }

  /// Whether a publisher is being admitted to a stream, or has it.
  func isBeginning(_ key: StreamKey) async -> Bool {
    if admissions.quietMoment(of: key) == nil { return true }
    return await registry.holder(of: key) != nil
  }

  private func decide(
    _ ask: ClientAsk, _ publisher: Publisher
  ) async -> Result<Claim, PublishDenial> {
    var inherited: StreamLeasing.Progress?
    var wasOurs = true
    var resumed: StreamGrant?
    var date: PublisherDate?
    var numbers: WindowState?
    if leasing != nil {
      // One that is too many here is to push nobody off the air elsewhere.
      do throws(ClaimRefusal) {
        try await registry.room(for: ask.key)
      } catch {
        log("publish.refused", ask, ["reason": "\(error)"])
        return .failure(PublishDenial(error))
      }
    }
    var wasAdmitted = false
    var outcome = await lease(ask, publisher, isAdmitted: hooks.onPublish == nil)
    if case .onAir = outcome {
      if let denial = await askBackend(ask) { return .failure(denial) }
      wasAdmitted = true
      outcome = await lease(ask, publisher, isAdmitted: true)
    }
    switch outcome {
    case .refused(let words), .onAir(let words):
      log("publish.refused", ask, ["reason": "\(words)"])
      if wasAdmitted { await hooks.onPublishDone?(ask) }
      return .failure(PublishDenial(.badName, words))
    case .granted(let after, let isOurs, let isBlind, let grant, let known):
      (inherited, wasOurs, resumed, date) = (after, isOurs, grant, known)
      numbers = after?.state ?? (isBlind ? StreamLedger.beyondAll : nil)
    }
    let result = await admitHere(
      ask, publisher, after: numbers, wasOurs: wasOurs, resumed: resumed,
      program: inherited?.program, left: inherited?.isLeft == true ? inherited?.broadcast : nil,
      wasAdmitted: wasAdmitted)
    return result.map { claim in
      leasing?.rank(ask.key, publisher.priority)
      var claim = claim
      claim.after = inherited
      claim.date = date
      return claim
    }
  }

  /// Asks the cluster for a stream; a node alone has it already.
  private func lease(
    _ ask: ClientAsk, _ publisher: Publisher, isAdmitted: Bool
  ) async -> StreamLeasing.Outcome {
    guard let leasing else { return .granted(after: nil) }
    let isPeer = ask.isPeerCertified || !configuration.peersAreCertified
    let wish = StreamLeasing.Wish(
      key: ask.key, priority: publisher.priority,
      resumes: isPeer ? ask.name["resume"] ?? "" : "",
      after: ask.name["after"] ?? "", proof: ask.name["proof"] ?? "",
      grant: ask.name["grant"] ?? "", date: ask.name["date"] ?? "",
      program: ask.name["program"] ?? "", tokenID: publisher.tokenID, isAdmitted: isAdmitted)
    return await leasing.acquire(wish) { [registry, errands] in
      // Another node has it by now: whoever publishes it here would only be heard here.
      errands.run { await registry.holder(of: ask.key)?.send() }
    }
  }

  /// Leaves a stream to the next process of this node, whose publisher may have it.
  ///
  /// - Parameters:
  ///   - key: the stream; the camera is `program` for a wedding's program.
  ///   - token: the digest of the publisher's there.
  ///   - priority: of the same.
  ///   - isAdmitted: whether the backend has said yes to it.
  ///   - cameras: of a program what that process has to show.
  /// - Returns: how far it has come here, with nothing to follow; nil where it isn't here, or was
  ///   left before.
  /// - Throws: `ClaimRefusal` where its publisher here keeps it.
  func yield(
    _ key: StreamKey, to token: [UInt8], _ priority: Int, isAdmitted: Bool,
    cameras: LaterCameras? = nil
  ) async throws(ClaimRefusal) -> StreamLeasing.Progress? {
    if key.camera == Program.name {
      let progress = try await door.yield(key, to: cameras)
      outlet.leave(key)
      if let progress {
        logger.info(
          "program left to the next process",
          metadata: [
            "stream": "\(key)", "next": "\(progress.state.nextSequence)",
            "camera": "\(progress.camera ?? "-")",
          ])
      }
      return progress
    }
    let other = Publisher(
      id: .max, tokenID: token, priority: priority, address: "", silence: { nil }, evict: {})
    // A program that shows it doesn't take it for lost.
    await programs.run(key.wedding) { $0.expect(key.camera) }
    let left: (state: WindowState, broadcast: Broadcast?)?
    do throws(ClaimRefusal) {
      left = try await registry.yield(key, to: other, isAdmitted: isAdmitted)
    } catch {
      await programs.run(key.wedding) { $0.keepHere(key.camera) }
      throw error
    }
    // Also where another process has it: whose viewers come by way of this one go on there.
    outlet.leave(key)
    guard let (state, broadcast) = left else { return nil }
    await ledger.end(key, at: state)
    logger.info(
      "stream left to the next process",
      metadata: ["stream": "\(key)", "next": "\(state.nextSequence)"])
    return StreamLeasing.Progress(state: state, publisherEnd: nil, broadcast: broadcast)
  }

  /// Gives a stream up that nobody publishes here.
  private func unlease(_ key: StreamKey) async {
    guard let leasing else { return }
    while let moment = admissions.quietMoment(of: key), await registry.holder(of: key) == nil {
      // Whoever has come since has been told that this node has the lease.
      let isGone = await leasing.release(key) { [admissions] in
        admissions.quietMoment(of: key) == moment
      }
      if isGone { return }
    }
  }

  private func admitHere(
    _ ask: ClientAsk, _ publisher: Publisher, after inherited: WindowState?, wasOurs: Bool,
    resumed: StreamGrant?, program: ProgramPlace?, left: Broadcast?, wasAdmitted: Bool
  ) async -> Result<Claim, PublishDenial> {
    var wasAdmitted = wasAdmitted
    let lease = leasing?.epoch(ask.key)
    let claim: Claim
    do throws(ClaimRefusal) {
      do throws(ClaimRefusal) {
        claim = try await registry.claim(
          ask.key, by: publisher, isAdmitted: wasAdmitted || hooks.onPublish == nil,
          after: inherited, wasOurs: wasOurs, lease: lease, resumed: resumed, program: program,
          left: left)
      } catch .onAir {
        if let denial = await askBackend(ask) { return .failure(denial) }
        wasAdmitted = true
        claim = try await registry.claim(
          ask.key, by: publisher, after: inherited, wasOurs: wasOurs, lease: lease,
          resumed: resumed, program: program, left: left)
      }
    } catch {
      log("publish.refused", ask, ["reason": "\(error)"])
      if wasAdmitted { await hooks.onPublishDone?(ask) }
      return .failure(PublishDenial(error))
    }
    if !wasAdmitted, let denial = await askBackend(ask) {
      await registry.release(claim)
      return .failure(denial)
    }
    guard await registry.confirm(claim) else {
      log("publish.refused", ask, ["reason": "taken over before it was admitted"])
      await hooks.onPublishDone?(ask)
      return .failure(PublishDenial(.badName, "another encoder has taken over"))
    }
    log("stream.started", ask, ["epoch": "\(claim.epoch)"])
    events.publish(Event(.streamStarted, wedding: ask.key.wedding, camera: ask.key.camera))
    return .success(claim)
  }

  /// Asks the backend about a publisher; nil where it may publish.
  private func askBackend(_ ask: ClientAsk) async -> PublishDenial? {
    guard let question = hooks.onPublish, let refusal = await question(ask) else { return nil }
    log("publish.refused", ask, ["reason": "\(refusal)", "code": "\(refusal.code)"])
    return PublishDenial(.denied, "\(refusal)")
  }

  /// A publisher has gone and its loop has let go of the stream.
  func left(_ ask: ClientAsk, _ claim: Claim, _ reason: String) async {
    await registry.release(claim)
    await unlease(ask.key)
    log("stream.stopped", ask, ["reason": "\(reason)", "epoch": "\(claim.epoch)"])
    events.publish(
      Event(
        .streamStopped, wedding: ask.key.wedding, camera: ask.key.camera,
        data: ["reason": .text(reason)]))
    await hooks.onPublishDone?(ask)
  }

  /// Tells the end of a stream that another node had, and can't tell any more.
  ///
  /// - Parameters:
  ///   - key: the stream.
  ///   - isLeft: whether that one has told that its publisher had gone.
  package func ended(_ key: StreamKey, isLeft: Bool) async {
    let known: Logger.Metadata = ["wedding": "\(key.wedding)", "camera": "\(key.camera)"]
    let reason = "its server is gone"
    if !isLeft {
      logger.info("stream.stopped", metadata: known.merging(["reason": "\(reason)"]) { $1 })
      events.publish(
        Event(
          .streamStopped, wedding: key.wedding, camera: key.camera,
          data: ["reason": .text(reason)]))
    }
    outlet.tellEnd(of: key)
    if !isLeft { await hooks.onPublishDone?(ClientAsk(lost: key)) }
  }
}
