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

    init() throws {
      rig = try RelayRig()
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

    /// Whether the second origin has the stream from a keyframe on, and the first all before it.
    func expectMoved() {
      let rest = Array(second.messages.dropFirst(3))
      #expect(second.messages.prefix(3).map(\.payload) == encoder.sent.prefix(3).map(\.payload))
      #expect(first.messages + rest == encoder.sent)
      #expect(rest.first?.payload.starts(with: [0x17, 1]) == true)
      #expect(first.takes.first?.ended == "unpublished")
      #expect(encoder.end == nil)
    }
  }

  @Test func `a stream moves at its next keyframe, the other connection open before`() throws {
    let scene = try Scene()
    let rig = scene.rig
    #expect(rig.relay.handOver([try rig.key("other")]) == 0)
    #expect(rig.relay.handOver(from: "o2") == 0)
    #expect(rig.relay.handOver(from: "o1") == 1)
    #expect(rig.turns { scene.second.takes.count == 1 })
    #expect(scene.second.takes.first?.name == "w?token=abc&relay=1&resume=1&handover=1")
    scene.encoder.sendPictures(15..<20)
    #expect(rig.turns { scene.first.messages.count == scene.encoder.sent.count })
    // No keyframe came: the first one has it still.
    #expect(scene.second.messages.isEmpty)
    #expect(scene.first.takes.first?.ended == nil)
    #expect(rig.metrics.originConnections.value == 2)
    scene.encoder.sendPictures(20..<45)
    #expect(
      rig.turns {
        scene.second.messages.last == scene.encoder.sent.last
          && scene.first.takes.first?.ended != nil
      })
    scene.expectMoved()
    #expect(rig.metrics.handovers.value == 1)
    #expect(rig.metrics.failovers.value == 0)
    #expect(rig.turns { rig.metrics.originConnections.value == 1 })
    scene.encoder.leave()
    #expect(rig.turns { rig.isEmpty })
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
    #expect(
      scene.rig.turns {
        scene.second.messages.last == scene.encoder.sent.last
          && scene.first.takes.first?.ended != nil
      })
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

  @Test func `an origin lost while its stream is about to move is replaced by the next`() throws {
    let scene = try Scene()
    let rig = scene.rig
    rig.relay.handOver()
    #expect(rig.turns { scene.second.takes.count == 1 })
    scene.first.die()
    #expect(rig.turns { scene.second.messages.last == scene.encoder.sent.last })
    // It had nothing before, and gets all that the first one may not have announced.
    #expect(scene.second.messages == scene.encoder.sent)
    #expect(scene.second.takes.count == 1)
    #expect(rig.metrics.failovers.value == 1)
  }

  @Test func `an origin that hears first that the next one has the stream is believed`() throws {
    let scene = try Scene()
    let rig = scene.rig
    rig.relay.handOver()
    #expect(rig.turns { scene.second.takes.count == 1 })
    scene.first.takes.first?.connection.evict("another server has this stream")
    #expect(rig.turns { scene.second.messages.last == scene.encoder.sent.last })
    #expect(scene.second.messages == scene.encoder.sent)
    #expect(scene.encoder.end == nil)
  }

  @Test func `the next origin lost before the keyframe leaves the stream where it is`() throws {
    let scene = try Scene()
    let rig = scene.rig
    rig.relay.handOver()
    #expect(rig.turns { scene.second.takes.count == 1 })
    scene.second.die()
    #expect(rig.turns { rig.notices.last?.kind == .notHandedOver })
    scene.encoder.sendPictures(15..<45)
    #expect(rig.turns { scene.first.messages == scene.encoder.sent })
    #expect(rig.metrics.failovers.value == 0)
  }

  @Test func `a publisher that leaves before the keyframe leaves nothing`() throws {
    let scene = try Scene()
    let rig = scene.rig
    rig.relay.handOver()
    #expect(rig.turns { scene.second.takes.count == 1 })
    scene.encoder.leave()
    #expect(rig.turns { rig.isEmpty && scene.second.takes.first?.ended != nil })
    #expect(scene.first.messages == scene.encoder.sent)
    #expect(scene.second.messages.isEmpty)
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
