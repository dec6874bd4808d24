import TestSupport
import Access
import EventLoop
import Events
import HTTPTypes
import Ingest
import Logging
import Media
import RTMP
import Store

import Telemetry
import Testing

@testable import Origin

@Suite struct `Origin node, publishers` {
  private let encoder = Encoder()
  private let key = StreamKey.named("w")

  @Test func `a publisher that drops and returns goes on in the same playlist`() async throws {
    let node = try await TestNode()
    let token = try node.token()
    let first = try await node.publish(token)
    await first.send(encoder.headers + encoder.messages(seconds: 7))
    #expect(try await node.eventuallyPlaylist { $0.entries.count == 2 })
    await first.vanish()
    #expect(try await node.eventuallyPlaylist { $0.entries.count == 3 })
    #expect(await eventually { node.node.board[key]?.state == .waiting })
    let second = try await node.publish(token)
    await second.send(encoder.headers + encoder.messages(seconds: 7))
    #expect(try await node.eventuallyPlaylist { $0.entries.count == 5 })
    let playlist = try #require(try await node.playlist())
    #expect(playlist.entries.map(\.isDiscontinuity) == [false, false, false, true, false])
    #expect(playlist.problems(after: nil).isEmpty)
  }

  @Test func `what happens to a stream is told in its order`() async throws {
    let node = try await TestNode { $0.streams.reconnectWindow = .milliseconds(50) }
    var events = node.node.events.subscribe().makeAsyncIterator()
    let publisher = try await node.publish(try node.token())
    await publisher.send(encoder.headers + encoder.messages(seconds: 1))
    await publisher.vanish()
    for kind in [Event.Kind.streamStarted, .streamStopped, .streamEnded] {
      let event = await events.next()
      #expect(event?.kind == kind)
      #expect(event?.wedding == "w")
      #expect(event?.camera == "main")
    }
  }

  @Test func `clients' numbers are beyond those of a process that began a moment before`() {
    let began: Int64 = 1_900_000_000_000
    let (first, second) = (
      OriginNode.clientsBegin(at: began), OriginNode.clientsBegin(at: began + 500)
    )
    #expect(second >= first + 5_000)
    // Whoever reads JSON's numbers into a Double has the same.
    #expect(UInt64(Double(second + 1)) == second + 1)
  }

  @Test func `an encoder with the same token takes over, and the first one hears why`()
    async throws
  {
    let node = try await TestNode()
    let token = try node.token()
    let first = try await node.publish(token)
    await first.send(encoder.headers + encoder.messages(seconds: 4))
    let second = try await node.publish(token)
    #expect(await eventually { await first.state.isOver })
    #expect(await first.state.refusal?.text == "another encoder has taken over")
    await second.send(encoder.headers + encoder.messages(seconds: 4))
    #expect(try await node.eventuallyPlaylist { $0.discontinuities == 1 })
    #expect(node.node.board[key]?.state == .live)
  }

  @Test func `somebody else is refused with words that help`() async throws {
    let node = try await TestNode()
    let first = try await node.publish(try node.token())
    await first.send(encoder.headers)
    let other = try await node.connect(.publish, try node.token(camera: "main"))
    #expect(await eventually { await other.state.isOver })
    let refusal = await other.state.refusal
    #expect(refusal?.code == "NetStream.Publish.BadName")
    #expect(refusal?.text == "this stream is already being published by somebody else")
    #expect(await first.state.isOver == false)
  }

  @Test func `a token that doesn't fit is refused, and never repeated`() async throws {
    let lines = Lines()
    let node = try await TestNode(logger: lines.logger)
    let watch = try node.token(.watch)
    for name in ["w", "v?token=\(try node.token())", watch, "nonsense"] {
      let publisher = try await node.connect(.publish, name)
      #expect(await eventually { await publisher.state.isOver })
      let refusal = await publisher.state.refusal
      #expect(refusal?.code == "NetStream.Publish.Denied")
      #expect(refusal?.text.contains("eyJ") == false)
    }
    #expect(await node.node.registry.count == 0)
    #expect(await eventually { lines.all.count == 4 })
    #expect(lines.all.allSatisfy { $0 == "info publish.refused" })
    #expect(lines.details.allSatisfy { $0["reason"] != nil && $0["address"] == "127.0.0.1" })
    #expect(!"\(lines.details)".contains("eyJ"))
  }

  @Test func `a codec that viewers can't get ends the publisher, and the log says which`()
    async throws
  {
    let lines = Lines()
    let node = try await TestNode(logger: lines.logger)
    let publisher = try await node.publish(try node.token())
    await publisher.send([Encoder.video(0, Encoder.hevc)])
    #expect(await eventually { await publisher.state.isOver })
    #expect(
      await publisher.state.refusal?.text
        == "h265 can't be sent to viewers yet; set the encoder to H.264 video")
    // An edge whose publisher it is asks no other origin.
    #expect(await publisher.state.refusal?.endCause == .media)
    #expect(await eventually { node.node.board[key]?.state == .waiting })
    #expect(await eventually { lines.all.last == "info stream.stopped" })
    #expect(
      lines.details.last?["reason"]
        == "media refused: h265 can't be sent to viewers yet; set the encoder to H.264 video")
    #expect(!"\(lines.details)".contains("eyJ"))
  }

  @Test func `after the reconnect window viewers see the end, then nothing`() async throws {
    let node = try await TestNode {
      $0.streams.reconnectWindow = .milliseconds(30)
      // For so long a busy machine has to see it.
      $0.streams.afterEnd = .seconds(3)
    }
    let publisher = try await node.publish(try node.token())
    await publisher.send(encoder.headers + encoder.messages(seconds: 7))
    #expect(try await node.eventuallyPlaylist { $0.entries.count == 2 })
    await publisher.leave()
    #expect(try await node.eventuallyPlaylist { $0.isEnded })
    #expect(try await eventually { try await node.playlist() == nil })
    #expect(node.node.board[key] == nil)
    #expect(await node.node.registry.count == 0)
    // The numbers are kept for the next time.
    let again = try await node.publish(try node.token())
    await again.send(encoder.headers + encoder.messages(seconds: 4))
    #expect(try await node.eventuallyPlaylist { $0.mediaSequence == 3 })
    #expect(try await node.playlist()?.entries.first?.isDiscontinuity == true)
  }

  // MARK: The backend

  @Test func `an encoder that returns while its first connection is being asked about is alone`()
    async throws
  {
    let backend = TestBackend()
    let node = try await TestNode(hooks: backend.publishHooks)
    let token = try node.token()
    await backend.hold()
    let first = try await node.connect(.publish, token)
    #expect(await eventually { await backend.asked.count == 1 })
    let second = try await node.connect(.publish, token)
    #expect(await eventually { await backend.asked.count == 2 })
    let asked = await backend.asked
    await backend.answer(asked[1])
    #expect(await eventually { await second.state.hasStarted })
    await second.send(encoder.headers + encoder.messages(seconds: 4))
    await backend.answer(asked[0])
    #expect(await eventually { await first.state.isOver })
    #expect(await eventually { await backend.told == [asked[0]] })
    #expect(await first.state.hasStarted == false)
    #expect(await first.state.refusal?.text == "another encoder has taken over")
    await second.send(encoder.messages(from: 4, seconds: 3))
    #expect(try await node.eventuallyPlaylist { $0.entries.count == 2 && $0.discontinuities == 0 })
    #expect(await node.node.registry.holder(of: key)?.id == asked[1])
  }

  @Test func `a newcomer pushes nobody off the air before the backend has admitted it`()
    async throws
  {
    let backend = TestBackend()
    let node = try await TestNode(hooks: backend.publishHooks)
    let token = try node.token()
    let first = try await node.publish(token)
    await first.send(encoder.headers + encoder.messages(seconds: 4))
    await backend.hold()
    let refused = try await node.connect(.publish, token)
    #expect(await eventually { await backend.asked.count == 2 })
    await backend.answer(await backend.asked[1], Refusal(.byBackend(status: 403)))
    #expect(await eventually { await refused.state.isOver })
    #expect(await refused.state.refusal?.text == "the backend refused it (status 403)")
    #expect(await first.state.isOver == false)
    await first.send(encoder.messages(from: 4, seconds: 3))
    #expect(try await node.eventuallyPlaylist { $0.entries.count == 2 && $0.discontinuities == 0 })
    #expect(await backend.told.isEmpty)
    let admitted = try await node.connect(.publish, token)
    #expect(await eventually { await backend.asked.count == 3 })
    #expect(await first.state.isOver == false)
    await backend.answer(await backend.asked[2])
    #expect(await eventually { await admitted.state.hasStarted })
    #expect(await eventually { await first.state.isOver })
    #expect(await first.state.refusal?.text == "another encoder has taken over")
  }

  @Test func `of one encoder's connections the last one counts, however late the backend answers`()
    async throws
  {
    let backend = TestBackend()
    let node = try await TestNode(hooks: backend.publishHooks)
    let token = try node.token()
    _ = try await node.publish(token)
    await backend.hold()
    let older = try await node.connect(.publish, token)
    #expect(await eventually { await backend.asked.count == 2 })
    let newer = try await node.connect(.publish, token)
    #expect(await eventually { await backend.asked.count == 3 })
    let asked = await backend.asked
    await backend.answer(asked[2])
    #expect(await eventually { await newer.state.hasStarted })
    await backend.answer(asked[1])
    #expect(await eventually { await older.state.isOver })
    #expect(await newer.state.isOver == false)
    #expect(await eventually { await backend.told.contains(asked[1]) })
    #expect(await node.node.registry.holder(of: key)?.id == asked[2])
  }

  @Test func `a publisher that the backend refuses leaves no trace`() async throws {
    let backend = TestBackend()
    let node = try await TestNode(hooks: backend.publishHooks)
    await backend.hold()
    let publisher = try await node.connect(.publish, try node.token())
    #expect(await eventually { await backend.asked.count == 1 })
    await backend.answer(await backend.asked[0], Refusal(.byBackend(status: 403)))
    #expect(await eventually { await publisher.state.isOver })
    #expect(await publisher.state.refusal?.text == "the backend refused it (status 403)")
    #expect(await node.node.registry.count == 0)
    #expect(node.node.board.all.isEmpty)
    #expect(await backend.told.isEmpty)
    let numbers = try await node.store.numbers(.init(wedding: "w", camera: "main"))
    #expect(numbers?.next.sequence == 0)
  }

  @Test func `a publisher that vanishes while it is being asked about gives its stream back`()
    async throws
  {
    let backend = TestBackend()
    let node = try await TestNode(hooks: backend.publishHooks) {
      $0.streams.reconnectWindow = .milliseconds(10)
    }
    await backend.hold()
    let publisher = try await node.connect(.publish, try node.token())
    #expect(await eventually { await backend.asked.count == 1 })
    await publisher.vanish()
    #expect(await eventually { node.node.metrics.connections.value == 0 })
    await backend.answer(await backend.asked[0])
    #expect(await eventually { await backend.told == backend.asked })
    #expect(await eventually { await node.node.registry.count == 0 })
  }

  @Test func `a node that stops gives every stream back, and keeps its numbers`() async throws {
    let backend = TestBackend()
    let node = try await TestNode(hooks: backend.publishHooks)
    let publisher = try await node.publish(try node.token())
    await publisher.send(encoder.headers + encoder.messages(seconds: 7))
    #expect(try await node.eventuallyPlaylist { $0.entries.count == 2 })
    try await node.onEachLoop { $0.drain() }
    #expect(await publisher.state.isOver == false)
    try await node.onEachLoop { $0.end("the node is stopping", done: {}) }
    await node.node.settle()
    #expect(await backend.told == backend.asked)
    #expect(await eventually { await publisher.state.isOver })
    #expect(await publisher.state.refusal?.code == "NetStream.Publish.Failed")
    #expect(await publisher.state.refusal?.text == "the node is stopping")
    let numbers = try await node.store.numbers(.init(wedding: "w", camera: "main"))
    #expect(numbers?.next.sequence == 3)
  }

  // MARK: The operator

  @Test func `a drop takes those that it names, and says how many`() async throws {
    let node = try await TestNode()
    let publisher = try await node.publish(try node.token())
    let player = try await node.connect(.play, "w")
    let other = try await node.publish(try node.token(wedding: "v"))
    #expect(await eventually { await player.state.hasStarted })
    let control = StreamControl(loops: node.mailboxes)
    let dropped = await control.perform("/control/drop/subscriber?app=live&name=w")
    #expect(dropped == (.ok, "1\n"))
    #expect(await eventually { await player.state.isOver })
    #expect(await publisher.state.isOver == false)
    #expect(await control.perform("/control/drop/client?name=w") == (.ok, "1\n"))
    #expect(await eventually { await publisher.state.isOver })
    #expect(await publisher.state.refusal?.text == "dropped by the operator")
    #expect(await control.perform("/control/drop/client?name=w") == (.ok, "0\n"))
    #expect(await other.state.isOver == false)
    #expect(await control.perform("/control/drop/publisher?addr=127.0.0.1") == (.ok, "1\n"))
    #expect(await eventually { await other.state.isOver })
    for (target, status) in [
      ("/control/drop/client", HTTPResponse.Status.badRequest),
      ("/control/drop/client?name=", .badRequest), ("/control/drop/client?name=..", .badRequest),
      ("/control/drop/client?clientid=x", .badRequest), ("/control/drop/all?name=w", .notFound),
      ("/control/record/start?name=w", .notFound), ("/control/drop", .notFound),
    ] {
      #expect(await control.perform(target).0 == status, "\(target)")
    }
  }
}

@Suite struct `Origin node, players` {
  private let encoder = Encoder()

  @Test func `a player's clock goes on over publishers and never back`() async throws {
    let node = try await TestNode()
    let token = try node.token()
    let first = try await node.publish(token)
    let player = try await node.connect(.play, "w")
    #expect(await eventually { await player.state.hasStarted })
    await first.send(encoder.headers + encoder.messages(seconds: 2))
    #expect(await eventually { await player.state.video.count == 51 })
    let second = try await node.publish(token)
    var other = Encoder(base: 77_000_000)
    other.group = 25
    await second.send(other.headers + other.messages(seconds: 2))
    #expect(await eventually { await player.state.video.count == 102 })
    let third = try await node.publish(token)
    await third.send(encoder.headers + encoder.messages(seconds: 2))
    #expect(await eventually { await player.state.video.count == 153 })
    let state = await player.state
    for track in [state.video, state.audio] {
      let times = track.map(\.timestamp)
      #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
      #expect(times.last ?? 0 > 5_000 && times.last ?? 0 < 7_000)
    }
  }

  @Test func `a token for one camera plays no other one`() async throws {
    let node = try await TestNode { $0.watchNeedsToken = true }
    let main = try await node.publish(try node.token())
    let second = try await node.publish(try node.token(camera: "c2"))
    await main.send(encoder.headers + encoder.messages(seconds: 1))
    await second.send(
      Encoder(hasAudio: false).headers + Encoder(hasAudio: false).messages(seconds: 1))
    let token = try node.token(.watch, camera: "c2")
    for name in ["w/c2?token=\(token)", "w?token=\(token)", token] {
      let player = try await node.connect(.play, name)
      #expect(await eventually { await player.state.video.count == 26 })
      #expect(await player.state.audio.isEmpty)
    }
    for name in ["w/main?token=\(token)", "v?token=\(token)", "w", "w?token=\(try node.token())"] {
      let player = try await node.connect(.play, name)
      #expect(await eventually { await player.state.isOver })
      #expect(await player.state.hasStarted == false)
    }
  }

  @Test func `the backend is told of the end of each player that it admitted`() async throws {
    let backend = TestBackend()
    let node = try await TestNode(hooks: backend.playHooks)
    let first = try await node.connect(.play, "w")
    #expect(await eventually { await first.state.hasStarted })
    await first.leave()
    #expect(await eventually { await backend.told == backend.asked })
    await backend.hold()
    let second = try await node.connect(.play, "w")
    #expect(await eventually { await backend.asked.count == 2 })
    await second.vanish()
    #expect(await eventually { node.node.metrics.connections.value == 0 })
    let asked = await backend.asked
    await backend.answer(asked[1])
    #expect(await eventually { await backend.told == asked })
    let third = try await node.connect(.play, "w")
    #expect(await eventually { await backend.asked.count == 3 })
    await backend.answer(await backend.asked[2], Refusal(.byBackend(status: 403)))
    #expect(await eventually { await third.state.isOver })
    await node.node.settle()
    #expect(await backend.told == asked)
  }
}
