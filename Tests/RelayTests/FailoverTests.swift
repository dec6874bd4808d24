import EventLoop
import Foundation
import Ingest
import Media
import RTMP
import Telemetry
import Testing

@testable import Relay

@Suite struct `Relay when an origin is lost` {
  /// Where what an origin was sent begins in what the publisher sent, behind the headers ahead of
  /// it.
  ///
  /// - Returns: nil where it isn't a part of it without a gap, from a keyframe on.
  private func position(_ take: TestOrigin.Take?, in sent: [Message]) -> Int? {
    guard let take else { return nil }
    let headers = take.messages.prefix(3).map(\.payload)
    guard headers == sent.prefix(3).map(\.payload) else { return nil }
    let rest = Array(take.messages.dropFirst(3))
    guard let first = rest.first, first.payload.starts(with: [0x17, 1]),
      let start = sent.firstIndex(of: first), start + rest.count <= sent.count,
      rest == Array(sent[start..<start + rest.count])
    else { return nil }
    return start
  }

  /// Two origins at a relay that leaves one which is silent for a second.
  private static func impatient() throws -> (RelayRig, first: TestOrigin, second: TestOrigin) {
    var configuration = RelayConfiguration()
    configuration.originSilence = .seconds(1)
    let rig = try RelayRig(configuration)
    return (rig, try rig.origin("o1"), try rig.origin("o2"))
  }

  @Test func `a killed origin's stream goes on at the next one, nothing missing`() throws {
    let rig = try RelayRig()
    let first = try rig.origin("o1")
    let second = try rig.origin("o2")
    let encoder = try rig.encoder("w?token=abc&resume=1")
    #expect(rig.turns { encoder.isStarted })
    encoder.sendHeaders()
    encoder.sendPictures(0..<95)
    #expect(rig.turns { first.messages.count > 100 })
    first.die()
    encoder.sendPictures(95..<123)
    #expect(
      rig.turns { second.messages.last == encoder.sent.last && encoder.waitingBytes == 0 })
    let take = try #require(second.takes.first)
    let start = try #require(position(take, in: encoder.sent))
    #expect(start <= first.messages.count)
    #expect(take.messages.count - 3 + start == encoder.sent.count)
    // What only a relay may say is the relay's own.
    #expect(first.takes.first?.name == "w?token=abc&relay=1")
    #expect(take.name == "w?token=abc&relay=1&resume=1")
    #expect(encoder.events.filter { $0 != .drained } == [.started])
    #expect(rig.questions == [[], ["o1"]])
    #expect(rig.isTakenAway == [false, false])
    #expect(rig.metrics.failovers.value == 1)
    #expect(rig.metrics.lostMessages.value == 0)
    encoder.leave()
    #expect(rig.turns { rig.isEmpty })
  }

  @Test func `the replay begins at the last keyframe of what was announced`() throws {
    let rig = try RelayRig()
    let first = try rig.origin("o1")
    let second = try rig.origin("o2")
    let encoder = try rig.publish(to: first, pictures: 0..<95)
    let kept = try rig.status().keptBytes
    // Keyframes are 400 ms apart.
    let progress = RelayProgress(sequence: 7, discontinuity: 2, end: 2_850)
    first.takes.first?.connection.tell(progress)
    #expect(rig.turns { (try? rig.status().keptBytes).map { $0 < kept / 2 } ?? false })
    first.die()
    #expect(rig.turns { second.messages.last == encoder.sent.last })
    let take = try #require(second.takes.first)
    #expect(position(take, in: encoder.sent) != nil)
    #expect(take.messages[3].timestamp == 2_800)
    #expect(take.messages.prefix(3).map(\.timestamp) == [0, 2_800, 2_800])
    #expect(rig.metrics.replayedMessages.value == UInt64(take.messages.count - 3))
    #expect(rig.progress == [nil, progress])
    // Nobody has listed anything with a date: it is when the first that is sent again came.
    #expect(rig.dates.map { $0?.time } == [nil, 2_800])
    let date = try #require(rig.dates.last??.date)
    #expect(abs(date - LogTime.now.milliseconds) < 600_000)
  }

  @Test(arguments: [nil, 7] as [Int64?])
  func `the next origin is told the date that the one before has listed`(sequence: Int64?) throws {
    let rig = try RelayRig()
    let first = try rig.origin("o1")
    let second = try rig.origin("o2")
    first.grant = StreamGrant(epoch: 3)
    let encoder = try rig.publish(to: first, pictures: 0..<95)
    let date = StreamDate(time: 2_850, date: 1_000)
    let progress = RelayProgress(
      sequence: sequence ?? -1, discontinuity: 0, end: sequence.map { _ in 1_850 }, date: date)
    first.takes.first?.connection.tell(progress)
    // The next thing that is told has come when this has.
    first.takes.first?.connection.tell(progress, under: StreamGrant(epoch: 4))
    #expect(rig.turns { rig.relay.stream(1)?.grant == StreamGrant(epoch: 4) })
    first.die()
    #expect(rig.turns { second.messages.last == encoder.sent.last })
    #expect(rig.dates == [nil, date])
    #expect(rig.progress.last??.sequence == sequence ?? -1)
  }

  @Test func `what is sent while there is no origin is kept and arrives`() throws {
    let rig = try RelayRig()
    let first = try rig.origin("o1")
    let encoder = try rig.publish(to: first)
    first.die()
    // Far more than may wait for an origin that is there.
    encoder.sendPictures(20..<800, bytes: 30_000)
    #expect(rig.turns { encoder.waitingBytes == 0 && rig.questions.count > 4 })
    #expect(rig.metrics.heldBack.value == 0)
    #expect(try rig.status().origin == nil)
    let second = try rig.origin("o2")
    #expect(rig.turns { second.messages.last == encoder.sent.last })
    let start = try #require(position(second.takes.first, in: encoder.sent))
    #expect(start <= first.messages.count)
    #expect(rig.metrics.lostMessages.value == 0)
    #expect(try rig.status().origin == "o2")
    #expect(rig.notices.map(\.kind).contains(.resumed))
  }

  @Test func `when the buffer is full the publisher waits, and nothing is lost`() throws {
    var configuration = RelayConfiguration()
    configuration.replayBytes = 4 << 20
    let rig = try RelayRig(configuration)
    let first = try rig.origin("o1")
    let encoder = try rig.publish(to: first)
    first.die()
    encoder.sendPictures(20..<800, bytes: 40_000)
    #expect(rig.turns { rig.metrics.heldBack.value == 1 })
    for _ in 0..<100 { rig.loop.turn(maximumWait: .zero) }
    let kept = try rig.status().keptBytes
    #expect(kept >= 4 << 20)
    #expect(kept < (4 << 20) + (512 << 10))
    #expect(encoder.waitingBytes > 0)
    let second = try rig.origin("o2")
    #expect(rig.turns { second.messages.last == encoder.sent.last })
    let start = try #require(position(second.takes.first, in: encoder.sent))
    #expect(start <= first.messages.count)
    #expect(rig.metrics.lostMessages.value == 0)
    #expect(rig.turns { rig.metrics.heldBack.value == 0 })
    #expect(try rig.status().keptBytes <= 4 << 20)
  }

  @Test func `an origin that can't be reached, and one that never answers, are passed over`() throws
  {
    var configuration = RelayConfiguration()
    configuration.originSilence = .seconds(1)
    let rig = try RelayRig(configuration)
    // Its connections are taken by the kernel, and by nobody else.
    let mute = try Socket.listening(on: try #require(SocketAddress(host: "127.0.0.1", port: 0)))
    let gone = try rig.origin("gone")
    gone.die()
    rig.origins.append(
      RelayTarget(name: "mute", host: "127.0.0.1", port: mute.localAddress.port))
    let third = try rig.origin("o3")
    let encoder = try rig.encoder()
    #expect(rig.turns { encoder.isStarted })
    #expect(third.takes.count == 1)
    #expect(rig.questions == [[], ["gone"], ["gone", "mute"]])
    #expect(rig.notices.map(\.kind) == [.failed, .failed, .taken])
    #expect(rig.metrics.originConnections.value == 1)
  }

  @Test func `an origin that falls silent is left, though its socket stays open`() throws {
    let (rig, first, second) = try Self.impatient()
    let encoder = try rig.publish(to: first)
    // One that answers pings stays.
    rig.turns(for: .milliseconds(1_600))
    #expect(second.takes.isEmpty)
    let frozen = try #require(first.takes.first?.connection)
    frozen.holdBack()
    encoder.sendPictures(20..<25)
    #expect(rig.turns { second.messages.last == encoder.sent.last })
    #expect(position(second.takes.first, in: encoder.sent) != nil)
    #expect(encoder.end == nil)
  }

  @Test func `an origin that hears nothing is left, though it goes on telling`() throws {
    let (rig, first, second) = try Self.impatient()
    let encoder = try rig.publish(to: first)
    let deaf = try #require(first.takes.first?.connection)
    var told: Int64 = 0
    func tell() {
      told += 1
      deaf.tell(RelayProgress(sequence: told, discontinuity: 0, end: nil))
    }
    // One that answers pings stays, also while it tells something.
    for _ in 0..<16 {
      tell()
      rig.turns(for: .milliseconds(100))
    }
    #expect(second.takes.isEmpty)
    deaf.holdBack()
    encoder.sendPictures(20..<25)
    #expect(
      rig.turns {
        tell()
        return second.messages.last == encoder.sent.last
      })
    #expect(encoder.end == nil)
  }

  @Test func `a loop that stood still itself leaves no origin for it`() throws {
    let (rig, first, second) = try Self.impatient()
    let encoder = try rig.publish(to: first)
    // Longer than an origin may be silent: the process was stopped, or had no processor.
    for pause in [600, 250, 850] {
      rig.turns(for: .milliseconds(pause))
      Thread.sleep(forTimeInterval: 1.2)
    }
    rig.turns(for: .milliseconds(400))
    #expect(second.takes.isEmpty)
    #expect(rig.metrics.failovers.value == 0)
    encoder.sendPictures(20..<25)
    #expect(rig.turns { first.messages.last == encoder.sent.last })
  }

  @Test func `what an origin was sent and has not read is replayed, however long ago it was sent`()
    throws
  {
    var configuration = RelayConfiguration()
    configuration.replaySpan = .seconds(1)
    let rig = try RelayRig(configuration)
    let first = try rig.origin("o1")
    let encoder = try rig.publish(to: first)
    first.takes.first?.connection.holdBack()
    encoder.sendPictures(20..<120)
    // All of it goes to the connection: four seconds of the stream.
    rig.turns(for: .milliseconds(300))
    let second = try rig.origin("o2")
    first.die()
    #expect(rig.turns { second.messages.last == encoder.sent.last })
    let start = try #require(position(second.takes.first, in: encoder.sent))
    #expect(start <= first.messages.count)
    #expect(rig.metrics.lostMessages.value == 0)
  }

  /// Without a progress viewers have nothing; the one of an earlier publisher has ended by its own
  /// clock.
  @Test(
    arguments: zip(
      [nil, RelayProgress(sequence: 56, discontinuity: 3, end: 300)],
      [RelayProgress.nothing, RelayProgress(sequence: 56, discontinuity: 3, end: nil)]))
  func `a publisher's first segment is asked for again where its origin is lost`(
    said: RelayProgress?, asked: RelayProgress
  ) throws {
    let rig = try RelayRig()
    let first = try rig.origin("o1")
    let second = try rig.origin("o2")
    let grant = StreamGrant(epoch: 4, turn: StreamGrant.Turn(run: "a", number: 2))
    (first.grant, first.progress, second.progress) = (grant, said, said)
    let encoder = try rig.publish(to: first)
    first.die()
    #expect(rig.turns { second.messages.last == encoder.sent.last })
    #expect(second.messages == encoder.sent)
    #expect(rig.progress == [nil, asked])
    #expect(rig.grants == [nil, grant])
  }

  @Test func `where nobody says where to, it is asked again, and a late answer is passed over`()
    throws
  {
    var configuration = RelayConfiguration()
    configuration.placeTimeout = .milliseconds(200)
    let rig = try RelayRig(configuration)
    let first = try rig.origin("o1")
    rig.answersPlaces = false
    let encoder = try rig.encoder()
    #expect(rig.turns { rig.questions.count == 3 })
    #expect(rig.unanswered.count == 3)
    rig.answersPlaces = true
    #expect(rig.turns { encoder.isStarted })
    for answer in rig.unanswered { answer(rig.origins.first) }
    encoder.sendHeaders()
    #expect(rig.turns { first.messages.count == 3 })
    #expect(first.takes.count == 1)
    #expect(rig.metrics.originConnections.value == 1)
  }

  @Test func `all streams together are kept within their bound`() throws {
    var configuration = RelayConfiguration()
    configuration.totalReplayBytes = 8 << 20
    configuration.connectionQueueBytes = 256 << 10
    let rig = try RelayRig(configuration)
    let origin = try rig.origin("o1")
    let encoders = try (0..<8).map { try rig.encoder("w\($0)") }
    #expect(rig.turns { encoders.allSatisfy(\.isStarted) })
    for encoder in encoders {
      encoder.sendHeaders()
      encoder.sendPictures(0..<200, bytes: 15_000)
    }
    #expect(
      rig.turns { origin.messages.count == encoders.reduce(0) { $0 + $1.sent.count } })
    #expect(rig.turns { rig.metrics.keptBytes.value <= 8 << 20 })
    #expect(rig.metrics.keptBytes.value > 1 << 20)
  }

  @Test func `an origin that doesn't know yet that the other one is gone is asked again`() throws {
    let rig = try RelayRig()
    let first = try rig.origin("o1")
    let second = try rig.origin("o2")
    let encoder = try rig.publish(to: first)
    second.refusal = (.badName, "somebody else publishes this stream")
    first.die()
    #expect(rig.turns { rig.notices.filter { $0.kind == .failed }.count >= 3 })
    #expect(encoder.end == nil)
    second.refusal = nil
    #expect(rig.turns { second.messages.last == encoder.sent.last })
    #expect(position(second.takes.first, in: encoder.sent) != nil)
  }

  @Test func `what a publisher sent before it left reaches the next origin`() throws {
    let rig = try RelayRig()
    let first = try rig.origin("o1")
    let encoder = try rig.publish(to: first)
    first.die()
    encoder.sendPictures(20..<33)
    encoder.leave()
    #expect(rig.turns { encoder.end != nil && rig.relay.ingest.connectionCount == 0 })
    let second = try rig.origin("o2")
    #expect(rig.turns { second.takes.first?.ended != nil && rig.isEmpty })
    #expect(second.messages.last == encoder.sent.last)
    #expect(position(second.takes.first, in: encoder.sent) != nil)
    #expect(second.takes.first?.ended == "unpublished")
  }

  @Test func `whatever origins die when, each has a part without a gap, and all of it is there`()
    throws
  {
    for seed in 1...12 as ClosedRange<UInt64> {
      var random = seed &* 0x9e37_79b9_7f4a_7c15
      func next(_ bound: UInt64) -> Int {
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        return Int(random % bound)
      }
      var configuration = RelayConfiguration()
      configuration.lossesPerOutage = .max
      configuration.firstBackoff = .milliseconds(10)
      configuration.lastBackoff = .milliseconds(20)
      let rig = try RelayRig(configuration)
      var origins = [try rig.origin("o0")]
      var living = origins
      let encoder = try rig.encoder()
      #expect(rig.turns { encoder.isStarted })
      encoder.sendHeaders()
      var picture = 0
      while picture < 600 {
        let count = next(40) + 1
        encoder.sendPictures(picture..<picture + count, group: 12, bytes: 100 + next(9_000))
        picture += count
        for _ in 0..<next(12) { rig.loop.turn(maximumWait: .zero) }
        if next(3) == 0, !living.isEmpty { living.remove(at: next(UInt64(living.count))).die() }
        if next(2) == 0 || living.isEmpty {
          living.append(try rig.origin("o\(origins.count)"))
          origins.append(living[living.count - 1])
        }
      }
      #expect(rig.turns { living.contains { $0.messages.last == encoder.sent.last } })
      var covered = 3
      let takes = origins.flatMap(\.takes).filter { $0.messages.count > 3 }
      // In the order in which they took it, which is the order of where they begin or an earlier
      // one.
      for take in takes.sorted(by: { $0.connection.acceptedAt < $1.connection.acceptedAt }) {
        let start = try #require(position(take, in: encoder.sent), "seed \(seed)")
        #expect(start <= covered, "seed \(seed)")
        covered = max(covered, start + take.messages.count - 3)
      }
      #expect(covered == encoder.sent.count, "seed \(seed)")
      #expect(encoder.end == nil)
      encoder.leave()
      #expect(rig.turns { rig.isEmpty })
    }
  }
}
