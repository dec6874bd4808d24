import EventLoop
import Ingest
import Media
import RTMP
import Telemetry
import Testing

@testable import Relay

@Suite struct `Relay that hands a stream over` {
  /// A stream at its first origin, a second one there.
  private struct Scene {
    let rig: RelayRig
    let first: TestOrigin
    let second: TestOrigin
    let encoder: TestEncoder

    init(
      _ configuration: RelayConfiguration = RelayConfiguration(), afterEnd: Duration = .zero
    ) throws {
      rig = try RelayRig(configuration, afterEnd: afterEnd)
      first = try rig.origin("o1")
      second = try rig.origin("o2")
      encoder = try rig.encoder("w?token=abc")
      let encoder = encoder
      #expect(rig.turns { encoder.isStarted })
      encoder.sendHeaders()
      encoder.sendPictures(0..<15)
      let first = first
      #expect(rig.turns { first.messages.count == encoder.sent.count })
    }

    /// Whether the second origin has all of the stream, as nobody said that viewers have a part of
    /// it, and the first one was told neither more nor the end.
    func expectMoved() {
      #expect(second.messages == encoder.sent)
      #expect(first.messages == Array(encoder.sent.prefix(first.messages.count)))
      #expect(encoder.end == nil)
    }
  }

  @Test func `a stream moves as soon as the next origin has it, without an end at the first`()
    throws
  {
    let scene = try Scene()
    let rig = scene.rig
    #expect(rig.relay.handOver([try rig.key("other")]) == 0)
    #expect(rig.relay.handOver(from: "o2") == 0)
    #expect(rig.relay.handOver(from: "o1") == 1)
    #expect(rig.turns { scene.second.messages == scene.encoder.sent })
    #expect(scene.second.takes.first?.name == "w?token=abc&relay=1&resume=1&handover=1")
    scene.encoder.sendPictures(15..<45)
    #expect(rig.turns { scene.second.messages.last == scene.encoder.sent.last })
    scene.expectMoved()
    #expect(scene.first.messages.count < scene.encoder.sent.count)
    #expect(scene.first.takes.first?.ended == nil)
    #expect(rig.metrics.originConnections.value == 2)
    // It hears from elsewhere that the stream is another's.
    scene.first.takes.first?.connection.stop("another server has this stream now")
    #expect(rig.turns { rig.metrics.originConnections.value == 1 })
    #expect(rig.metrics.handovers.value == 1)
    #expect(rig.metrics.failovers.value == 0)
    scene.encoder.leave()
    #expect(rig.turns { rig.isEmpty })
  }

  @Test func `the next origin gets what the viewers of the one before don't have`() throws {
    let scene = try Scene()
    let rig = scene.rig
    // Viewers have the first ten pictures; the relay hears it of the next origin alone.
    scene.second.progress = RelayProgress(sequence: 7, discontinuity: 1, end: 400)
    rig.relay.handOver()
    #expect(rig.turns { scene.second.messages.last == scene.encoder.sent.last })
    // The headers, and from the keyframe at 400 ms on.
    #expect(
      scene.second.messages.prefix(3).map(\.payload) == scene.encoder.sent.prefix(3).map(\.payload))
    #expect(scene.second.messages.dropFirst(3) == scene.encoder.sent.dropFirst(3 + 20))
  }

  @Test func `what is announced while the next origin is on its way is kept for it`() throws {
    let scene = try Scene()
    let rig = scene.rig
    rig.answersPlaces = false
    rig.relay.handOver()
    #expect(rig.turns { rig.unanswered.count == 1 })
    // The next one is about to be told that viewers have nothing.
    scene.first.takes.first?.connection.tell(RelayProgress(sequence: 7, discontinuity: 1, end: 400))
    scene.encoder.sendPictures(15..<25)
    #expect(rig.turns { scene.first.messages.count == scene.encoder.sent.count })
    rig.turns(for: .milliseconds(50))
    rig.unanswered[0](rig.origins.last)
    #expect(rig.turns { scene.second.messages.last == scene.encoder.sent.last })
    scene.expectMoved()
  }

  @Test func `what is announced before a stream stays where it is is let go of`() throws {
    let scene = try Scene()
    let rig = scene.rig
    rig.answersPlaces = false
    rig.relay.handOver()
    #expect(rig.turns { rig.unanswered.count == 1 })
    let progress = RelayProgress(sequence: 7, discontinuity: 1, end: 400)
    scene.first.takes.first?.connection.tell(progress)
    let kept = try rig.status().keptBytes
    rig.turns(for: .milliseconds(50))
    #expect(try rig.status().keptBytes == kept)
    rig.answersPlaces = true
    rig.origins.removeLast()
    rig.unanswered[0](nil)
    #expect(rig.turns { rig.notices.last?.kind == .notHandedOver })
    #expect(try rig.status().keptBytes < kept)
    #expect(rig.progress.last == progress)
  }

  @Test func `what another clock says of a stream is not believed`() throws {
    let scene = try Scene()
    let rig = scene.rig
    scene.second.progress = RelayProgress(sequence: 7, discontinuity: 1, end: 3_600_000)
    rig.relay.handOver()
    #expect(rig.turns { scene.second.messages == scene.encoder.sent })
  }

  @Test func `an origin that doesn't hear that it has lost the stream is left after a while`()
    throws
  {
    var configuration = RelayConfiguration()
    configuration.originLinger = .milliseconds(100)
    let scene = try Scene(configuration)
    scene.rig.relay.handOver()
    #expect(scene.rig.turns { scene.first.takes.first?.ended != nil })
    #expect(scene.first.takes.first?.ended != "unpublished")
    #expect(scene.rig.turns { scene.rig.metrics.originConnections.value == 1 })
    scene.expectMoved()
  }

  @Test(arguments: [false, true])
  func `an origin that asks for it hands its stream over, also to its own next process`(
    isNextProcess: Bool
  ) throws {
    let scene = try Scene()
    if isNextProcess {
      // By name it is the same one: who asks for it is not to be avoided.
      scene.rig.origins[0] = RelayTarget(
        name: "o1", host: "127.0.0.1", port: scene.second.port, resume: "resume=1")
      scene.rig.origins.removeLast()
    } else {
      scene.first.stopAccepting()
    }
    scene.first.takes.first?.connection.requestReconnect(to: nil, "this server is being stopped")
    #expect(scene.rig.turns { scene.second.takes.count == 1 })
    scene.encoder.sendPictures(15..<45)
    #expect(scene.rig.turns { scene.second.messages.last == scene.encoder.sent.last })
    scene.expectMoved()
  }

  @Test func `without another origin a stream stays`() throws {
    let scene = try Scene()
    let rig = scene.rig
    rig.origins.removeLast()
    rig.relay.handOver()
    #expect(rig.turns { rig.notices.last?.kind == .notHandedOver })
    scene.encoder.sendPictures(15..<45)
    #expect(rig.turns { scene.first.messages == scene.encoder.sent })
    // It can be told again.
    rig.origins.append(RelayTarget(name: "o2", host: "localhost", port: scene.second.port))
    #expect(rig.relay.handOver() == 1)
    #expect(rig.turns { scene.second.takes.count == 1 })
  }

  @Test func `an origin lost while the next one hesitates is replaced by it`() throws {
    let scene = try Scene()
    let rig = scene.rig
    scene.second.admits = false
    rig.relay.handOver()
    #expect(rig.turns { scene.second.takes.count == 1 })
    scene.first.die()
    #expect(rig.turns { rig.notices.last?.kind == .lost })
    scene.second.admit()
    #expect(rig.turns { scene.second.messages.last == scene.encoder.sent.last })
    // It had nothing before, and gets all that the first one may not have announced.
    #expect(scene.second.messages == scene.encoder.sent)
    #expect(scene.second.takes.count == 1)
    #expect(rig.metrics.failovers.value == 1)
  }

  @Test func `an origin that hears first that the next one has the stream is believed`() throws {
    let scene = try Scene()
    let rig = scene.rig
    scene.second.admits = false
    rig.relay.handOver()
    #expect(rig.turns { scene.second.takes.count == 1 })
    scene.first.takes.first?.connection.stop("another server has this stream")
    scene.second.admit()
    #expect(rig.turns { scene.second.messages.last == scene.encoder.sent.last })
    #expect(scene.second.messages == scene.encoder.sent)
    #expect(scene.encoder.end == nil)
  }

  @Test func `the next origin lost before it takes the stream leaves it where it is`() throws {
    let scene = try Scene()
    let rig = scene.rig
    scene.second.admits = false
    rig.relay.handOver()
    #expect(rig.turns { scene.second.takes.count == 1 })
    scene.second.die()
    #expect(rig.turns { rig.notices.last?.kind == .notHandedOver })
    scene.encoder.sendPictures(15..<45)
    #expect(rig.turns { scene.first.messages == scene.encoder.sent })
    #expect(rig.metrics.failovers.value == 0)
  }

  @Test func `the next origin lost as soon as it has the stream gives it back`() throws {
    let scene = try Scene()
    let rig = scene.rig
    rig.relay.handOver()
    #expect(rig.turns { scene.second.messages == scene.encoder.sent })
    scene.second.die()
    #expect(rig.turns { scene.first.takes.count == 2 })
    scene.encoder.sendPictures(15..<45)
    #expect(rig.turns { scene.first.takes.last?.messages == scene.encoder.sent })
    #expect(scene.encoder.end == nil)
  }

  @Test func `a publisher that leaves before the next origin has it leaves nothing`() throws {
    let scene = try Scene()
    let rig = scene.rig
    scene.second.admits = false
    rig.relay.handOver()
    #expect(rig.turns { scene.second.takes.count == 1 })
    scene.encoder.leave()
    #expect(rig.turns { rig.isEmpty })
    #expect(scene.first.messages == scene.encoder.sent)
    #expect(scene.second.messages.isEmpty)
  }

  @Test(arguments: [false, true])
  func `an origin lost with the end of a stream is replaced by one that hears it`(
    viewersHaveAll: Bool
  ) throws {
    let scene = try Scene()
    let rig = scene.rig
    if viewersHaveAll {
      // The last sound begins at 580.
      scene.second.progress = RelayProgress(sequence: 3, discontinuity: 0, end: 603)
    }
    scene.first.diesAtEnd = true
    scene.encoder.leave()
    #expect(rig.turns { scene.second.takes.first?.ended == "unpublished" })
    #expect(scene.second.messages == (viewersHaveAll ? [] : scene.encoder.sent))
    #expect(rig.turns { rig.isEmpty })
    #expect(rig.notices.last?.kind == .ended)
  }

  private enum Loss: CaseIterable {
    case killed, deaf, gone
  }

  @Test(arguments: Loss.allCases)
  private func `an origin lost right after it has heard the end is replaced by one that hears it`(
    _ loss: Loss
  ) throws {
    var configuration = RelayConfiguration()
    configuration.originSilence = loss == .deaf ? .seconds(1) : .seconds(60)
    let scene = try Scene(configuration, afterEnd: .seconds(3_600))
    let rig = scene.rig
    scene.encoder.leave()
    #expect(rig.turns { rig.metrics.endedStreams.value == 1 })
    #expect(scene.first.takes.first?.ended == "unpublished")
    // What it announces last is told after the end.
    scene.first.takes.first?.connection.tell(
      RelayProgress(sequence: 7, discontinuity: 1, end: 400), under: StreamGrant(epoch: 5))
    let kept = try rig.status().keptBytes
    #expect(rig.turns { (try? rig.status().keptBytes).map { $0 < kept } ?? false })
    switch loss {
    case .killed: scene.first.die()
    case .deaf: scene.first.takes.first?.connection.holdBack()
    case .gone: rig.relay.originLost("o1")
    }
    #expect(rig.turns { scene.second.takes.first?.ended == "unpublished" })
    #expect(scene.second.messages.dropFirst(3) == scene.encoder.sent.dropFirst(3 + 20))
    #expect(rig.grants.last == StreamGrant(epoch: 5))
    // That one goes in order, as one does that is stopped: it sees to its viewers.
    #expect(rig.turns { rig.metrics.endedStreams.value == 1 })
    scene.second.takes.first?.connection.requestReconnect(to: nil, "this server is being stopped")
    #expect(rig.turns { rig.isEmpty })
    #expect(rig.notices.last?.kind == .ended)
  }

  @Test func `a relay that is stopped leaves ended streams with their origins`() throws {
    let scene = try Scene(afterEnd: .seconds(3_600))
    let rig = scene.rig
    scene.encoder.leave()
    #expect(rig.turns { rig.metrics.endedStreams.value == 1 })
    var isDone = false
    rig.relay.end("this server is being stopped") { isDone = true }
    #expect(rig.turns { isDone })
    #expect(rig.isEmpty)
    #expect(scene.second.takes.isEmpty)
  }

  /// However long it may be silent, it is asked before it closes the connection, after ten seconds.
  @Test(arguments: [Duration.seconds(1), .seconds(60)])
  func `an origin that has heard the end is not replaced, and has not failed`(
    silence: Duration
  ) throws {
    var configuration = RelayConfiguration()
    configuration.originSilence = silence
    let scene = try Scene(configuration, afterEnd: .milliseconds(1_500))
    let rig = scene.rig
    scene.encoder.leave()
    #expect(rig.turns { rig.metrics.endedStreams.value == 1 })
    #expect(try rig.status().keptBytes > 0)
    #expect(rig.turns { rig.isEmpty })
    #expect(scene.first.takes.first?.ended == "unpublished")
    #expect(scene.second.takes.isEmpty)
    #expect(rig.metrics.failovers.value == 0)
    let text = String(decoding: rig.registry.text(), as: UTF8.self)
    #expect(!text.contains("wedlive_relay_origin_failures_total{"))
  }

  @Test func `a relay that is stopped ends its publishers and their streams`() throws {
    let scene = try Scene()
    var isDone = false
    scene.rig.relay.end("this server is being stopped") { isDone = true }
    #expect(scene.rig.turns { isDone && scene.encoder.end != nil })
    #expect(scene.rig.isEmpty)
    guard case .ended(let status) = scene.encoder.end else {
      return #expect(Bool(false), "\(String(describing: scene.encoder.end))")
    }
    #expect(status.text == "this server is being stopped")
    #expect(scene.first.takes.first?.ended == "closed by the client")
  }
}
