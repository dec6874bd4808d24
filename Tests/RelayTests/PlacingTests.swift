import EventLoop
import Ingest
import Media
import RTMP
import Telemetry
import Testing

@testable import Relay

@Suite struct `Relay, what origins say of where a stream is` {
  @Test func `what is known of an origin is kept as long as the connection to it`() throws {
    final class Handle: Sendable {}
    let rig = try RelayRig()
    let first = try rig.origin("o1")
    weak var handle: Handle?
    do {
      let made = Handle()
      handle = made
      rig.origins[0].handle = made
    }
    let encoder = try rig.encoder()
    #expect(rig.turns { encoder.isStarted })
    rig.origins.removeAll()
    #expect(handle != nil)
    let second = try rig.origin("o2")
    first.die()
    #expect(rig.turns { second.takes.count == 1 && handle == nil })
  }

  @Test func `what an origin says of where the stream is goes into the next questions`() throws {
    let rig = try RelayRig()
    let first = try rig.origin("o1")
    let second = try rig.origin("o2")
    let encoder = try rig.publish(to: first)
    // This one has no room, and may have had the stream for a moment.
    second.refusal = (.failed, "this server is full")
    first.takes.first?.connection.stop(.elsewhere)
    #expect(rig.turns { rig.questions.count >= 3 })
    #expect(rig.isTakenAway.prefix(3) == [false, true, true])
    #expect(rig.mayHaveTaken.prefix(3) == [[], [], ["o2"]])
    second.refusal = nil
    first.die()
    #expect(rig.turns { second.messages.last == encoder.sent.last })
    // It is taken back once.
    let asked = rig.questions.count
    second.takes.first?.connection.stop(.elsewhere)
    #expect(rig.turns { rig.questions.count > asked })
    #expect(rig.isTakenAway[asked] == false)
    #expect(rig.mayHaveTaken[asked].isEmpty)
  }

  @Test(arguments: [false, true])
  func `a publisher that was dropped goes to no other origin`(isMoving: Bool) throws {
    let rig = try RelayRig()
    let first = try rig.origin("o1")
    let second = try rig.origin("o2")
    let encoder = try rig.publish(to: first)
    second.refusal = (.failed, "this server is full")
    if isMoving { rig.relay.handOver(from: "o1") }
    let asked = rig.questions.count
    first.takes.first?.connection.stop(.dropped("this camera was removed"))
    #expect(rig.turns { encoder.end != nil })
    guard case .ended(let status) = encoder.end else {
      return #expect(Bool(false), "\(String(describing: encoder.end))")
    }
    #expect(status.text == "this camera was removed")
    #expect(second.takes.isEmpty && rig.questions.count == asked)
  }

  @Test func `that an origin has lost a stream to another one is no matter of words`() throws {
    var status = Status(.error, "NetStream.Publish.Failed", "in whichever words")
    #expect(!status.saysElsewhere)
    status.more.append("cause", "elsewhere")
    #expect(status.saysElsewhere)
    status.more = ["cause": "a later version's"]
    #expect(!status.saysElsewhere)
    // Origins of the version before have words alone.
    status.text = "another server has this stream now"
    #expect(status.saysElsewhere)
  }

  @Test func `an origin that has the stream of somebody else has never had this one`() throws {
    let rig = try RelayRig()
    let first = try rig.origin("o1")
    let second = try rig.origin("o2")
    _ = try rig.publish(to: first)
    second.refusal = (.badName, "somebody else publishes this stream")
    first.die()
    #expect(rig.turns { rig.questions.count >= 3 })
    #expect(!rig.mayHaveTaken.contains { $0.contains("o2") })
  }

  @Test func `an origin that is stopped is left; what two say of a stream is believed`() throws {
    let rig = try RelayRig()
    let first = try rig.origin("o1")
    let second = try rig.origin("o2")
    let encoder = try rig.publish(to: first)
    first.takes.first?.connection.stop("pictures of this size are too many")
    #expect(rig.turns { second.messages.last == encoder.sent.last })
    #expect(encoder.end == nil)
    second.takes.first?.connection.reject("pictures of this size are too many")
    #expect(rig.turns { encoder.end != nil && rig.isEmpty })
    guard case .ended(let status) = encoder.end else {
      return #expect(Bool(false), "\(String(describing: encoder.end))")
    }
    #expect(status.text == "pictures of this size are too many")
  }

  @Test func `a codec that an origin can't use is told at once, and no origin has failed`() throws {
    let rig = try RelayRig()
    let first = try rig.origin("o1")
    let second = try rig.origin("o2")
    let encoder = try rig.publish(to: first)
    let words = "hevc can't be sent to viewers yet; set the encoder to H.264 video"
    first.takes.first?.connection.reject(words, for: .media)
    #expect(rig.turns { encoder.end != nil && rig.isEmpty })
    guard case .ended(let status) = encoder.end else {
      return #expect(Bool(false), "\(String(describing: encoder.end))")
    }
    #expect(status.text == words)
    #expect(status.code == "NetStream.Publish.Failed")
    #expect(second.takes.isEmpty)
    #expect(rig.questions == [[]])
    #expect(rig.notices.map(\.kind) == [.taken, .refused])
    #expect(rig.notices.last?.origin == "o1")
    #expect(rig.metrics.failovers.value == 0)
    let text = String(decoding: rig.registry.text(), as: UTF8.self)
    #expect(!text.contains("wedlive_relay_origin_failures_total{"))
    #expect(text.contains("wedlive_rtmp_publish_refused_total 1\n"))
  }

  @Test func `an origin that is known to be gone is left at once`() throws {
    let rig = try RelayRig()
    let first = try rig.origin("o1")
    let second = try rig.origin("o2")
    let encoder = try rig.publish(to: first)
    rig.relay.originLost("o2")
    #expect(try rig.status().origin == "o1")
    rig.relay.originLost("o1")
    #expect(rig.turns { second.messages.last == encoder.sent.last })
    #expect(rig.turns { first.takes.first?.ended != nil })
    #expect(encoder.end == nil)
  }
}
