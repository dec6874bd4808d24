import EventLoop
import Ingest
import Media
import RTMP
import Telemetry
import Testing

@testable import Relay

@Suite struct `Relay to one origin` {
  @Test func `every message arrives once, in order, byte for byte`() throws {
    let rig = try RelayRig()
    let origin = try rig.origin("o1")
    let encoder = try rig.encoder("w?token=abc")
    #expect(rig.turns { encoder.isStarted })
    encoder.sendHeaders()
    encoder.sendPictures(0..<300, bytes: 20_000)
    encoder.send(.video, 12_000, TestEncoder.picture(300_000, 7))
    encoder.send(.audio, .max, TestEncoder.sound(5, 7))
    encoder.send(.audio, 3, [])
    #expect(rig.turns { origin.messages.count == encoder.sent.count })
    #expect(origin.messages == encoder.sent)
    let take = try #require(origin.takes.first)
    #expect(take.name == "w?token=abc&relay=1")
    #expect(take.connect?.tcUrl == "rtmp://edge.example/live")
    #expect(take.connect?.rawApp == "live")
    encoder.leave()
    #expect(rig.turns { take.ended != nil && rig.isEmpty })
    #expect(take.ended == "unpublished")
    #expect(encoder.end == .finished)
    #expect(rig.notices.map(\.kind) == [.taken, .ended])
  }

  @Test func `a publisher that is cut off is cut off at the origin, after all it has sent`() throws
  {
    let rig = try RelayRig()
    let origin = try rig.origin("o1")
    let encoder = try rig.encoder()
    #expect(rig.turns { encoder.isStarted })
    encoder.sendHeaders()
    encoder.sendPictures(0..<30)
    #expect(rig.turns { encoder.waitingBytes == 0 })
    encoder.client?.abandon()
    #expect(rig.turns { origin.takes.first?.ended != nil && rig.isEmpty })
    #expect(origin.messages == encoder.sent)
    #expect(origin.takes.first?.ended == "closed by the client")
  }

  @Test func `two publishers at once don't mix`() throws {
    let rig = try RelayRig()
    let origin = try rig.origin("o1")
    let first = try rig.encoder("a")
    let second = try rig.encoder("b")
    #expect(rig.turns { first.isStarted && second.isStarted })
    for part in 0..<10 {
      first.sendPictures(part * 10..<part * 10 + 10, bytes: 900)
      second.sendPictures(part * 10..<part * 10 + 10, bytes: 5_000)
      rig.loop.turn(maximumWait: .zero)
    }
    #expect(rig.turns { origin.messages.count == first.sent.count + second.sent.count })
    for encoder in [("a?relay=1", first), ("b?relay=1", second)] {
      #expect(origin.takes.first { $0.name == encoder.0 }?.messages == encoder.1.sent)
    }
    #expect(rig.metrics.streams.value == 2)
    #expect(rig.metrics.originConnections.value == 2)
  }

  @Test(arguments: [
    (ServerSession.PublishRefusal.denied, "the token is for another stream"),
    (.badName, "somebody else publishes this stream"),
    (.failed, "this server takes no new streams now"),
  ])
  func `an origin's refusal reaches the publisher in its own words`(
    _ refusal: ServerSession.PublishRefusal, _ words: String
  ) throws {
    let rig = try RelayRig()
    let origin = try rig.origin("o1")
    origin.refusal = (refusal, words)
    let encoder = try rig.encoder()
    #expect(rig.turns { encoder.end != nil && rig.isEmpty })
    guard case .refused(let status) = encoder.end else {
      return #expect(Bool(false), "\(String(describing: encoder.end))")
    }
    #expect(status.code == refusal.rawValue)
    #expect(status.text == words)
  }

  @Test func `an origin that ends a stream for good ends it in its own words`() throws {
    let rig = try RelayRig()
    let origin = try rig.origin("o1")
    _ = try rig.origin("o2")
    let encoder = try rig.publish(to: origin)
    origin.takes.first?.connection.evict("another publisher has a higher priority")
    #expect(rig.turns { encoder.end != nil && rig.isEmpty })
    guard case .ended(let status) = encoder.end else {
      return #expect(Bool(false), "\(String(describing: encoder.end))")
    }
    #expect(status.code == "NetStream.Publish.BadName")
    #expect(status.text == "another publisher has a higher priority")
    #expect(rig.questions == [[]])
  }

  @Test func `who isn't admitted here never reaches an origin`() throws {
    let rig = try RelayRig()
    let origin = try rig.origin("o1")
    let encoder = try rig.encoder("no")
    #expect(rig.turns { encoder.end != nil && rig.isEmpty })
    guard case .refused(let status) = encoder.end else {
      return #expect(Bool(false), "\(String(describing: encoder.end))")
    }
    #expect(status.text == "the token has expired")
    #expect(rig.questions.isEmpty)
    #expect(origin.server.connectionCount == 0)
  }

  @Test func `the publisher's address goes ahead of it, and comes in from a balancer`() throws {
    var configuration = RelayConfiguration()
    configuration.sendsProxyHeader = true
    configuration.ingest.trustedProxies = ["127.0.0.1"]
    let rig = try RelayRig(configuration)
    let origin = try rig.origin("o1", trustedProxies: ["127.0.0.1"])
    let local = try #require(SocketAddress(host: "127.0.0.1", port: 1935))
    for text in ["203.0.113.9", "2001:db8::7"] {
      let client = try #require(SocketAddress(host: text, port: 51_234))
      let encoder = try rig.encoder(
        preamble: ProxyHeader.version2(source: client, destination: local))
      #expect(rig.turns { encoder.isStarted })
      #expect(origin.takes.last?.peer == client)
    }
  }

  @Test func `a slow origin holds its publisher back, within bounds`() throws {
    var configuration = RelayConfiguration()
    configuration.queueBytes = 1 << 20
    configuration.connectionQueueBytes = 256 << 10
    let rig = try RelayRig(configuration)
    let origin = try rig.origin("o1")
    let encoder = try rig.encoder()
    #expect(rig.turns { encoder.isStarted })
    let taker = try #require(origin.takes.first?.connection)
    taker.holdBack()
    encoder.sendHeaders()
    // More than all sockets' buffers on the way take.
    encoder.sendPictures(0..<1_200, bytes: 40_000)
    var most = 0
    var held = 0
    #expect(
      rig.turns {
        let status = rig.relay.statuses.first
        most = max(most, status?.waitingBytes ?? 0)
        held = max(held, rig.metrics.heldBack.value)
        // It is held back: nothing moves any more.
        return held == 1 && encoder.waitingBytes > 0
      })
    for _ in 0..<200 {
      rig.loop.turn(maximumWait: .zero)
      most = max(most, try rig.status().waitingBytes)
    }
    #expect(encoder.waitingBytes > 10 << 20)
    // What waits, and what one read of the publisher still brought.
    #expect(most < (1 << 20) + (512 << 10))
    taker.goOn()
    #expect(rig.turns { origin.messages.count == encoder.sent.count })
    #expect(origin.messages == encoder.sent)
    #expect(rig.turns { rig.metrics.heldBack.value == 0 })
    #expect(rig.metrics.failovers.value == 0)
  }

  @Test func `publishers that come and go leave no counts`() throws {
    let rig = try RelayRig()
    let origin = try rig.origin("o1")
    for index in 0..<1_000 {
      let encoder = try rig.encoder("w\(index)")
      switch index % 4 {
      case 0: break  // before it has said anything
      case 1: #expect(rig.turns { rig.metrics.streams.value > 0 })
      case 2: #expect(rig.turns { encoder.isStarted })
      default:
        #expect(rig.turns { encoder.isStarted })
        encoder.sendPictures(0..<3)
        rig.loop.turn(maximumWait: .zero)
      }
      encoder.client?.abandon()
      if index % 50 == 0 { #expect(rig.turns { rig.isEmpty }) }
    }
    #expect(rig.turns { rig.isEmpty && origin.server.connectionCount == 0 })
    #expect(rig.loop.channelCount == 2)
  }
}
