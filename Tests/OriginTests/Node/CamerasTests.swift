import TestSupport
import Viewers
import Access
import ControlAPI
import Media
import RTMP
import Store
import Telemetry
import Testing

@testable import Origin

@Suite struct `Origin node, cameras` {
  private let encoder = Encoder()

  private func directory(_ node: TestNode, home: String? = nil) -> OriginCameras {
    OriginCameras(
      node: node.node, loops: node.mailboxes,
      collector: StatusCollector(
        identity: .init(node: "n", region: "r", version: "1", cipher: "openssl"),
        node: node.node, loops: node.mailboxes, metrics: MetricRegistry()), home: { _ in home })
  }

  /// Adds a camera and publishes it.
  private func publish(_ camera: String, on node: TestNode) async throws -> Remote {
    let key = try node.token(camera: camera)
    try await directory(node).add(
      NewCamera(
        wedding: "w", id: camera, name: camera,
        key: CameraKey(
          digest: CredentialDigest.of(key.utf8),
          expires: StreamOutlet.wallClockMilliseconds / 1_000 + 60)))
    return try await node.publish(key)
  }

  @Test func `a plan says how many cameras may be live at once`() async throws {
    let node = try await TestNode()
    _ = try await node.publish(try node.token(plan: "free"))
    let second = try await node.connect(.publish, try node.token(camera: "c2", plan: "free"))
    #expect(await eventually { await second.state.refusal != nil })
    let words = await second.state.refusal?.text ?? ""
    #expect(words.contains("the plan free has 1 camera at a time"))
    _ = try await node.publish(try node.token(camera: "c2", plan: "premium"))
  }

  @Test func `nobody publishes the program`() async throws {
    let node = try await TestNode()
    let publisher = try await node.connect(.publish, try node.token(camera: "program"))
    #expect(await eventually { await publisher.state.refusal != nil })
    #expect(await publisher.state.refusal?.text.contains("no camera can be called program") == true)
  }

  @Test func `a second camera takes over where the first one's playlist is`() async throws {
    let node = try await TestNode()
    let main = try await node.publish(try node.token())
    await main.send(encoder.headers + encoder.messages(seconds: 13))
    #expect(try await node.eventuallyPlaylist { $0.entries.count == 4 })
    let before = try #require(try await node.playlist(of: "program"))
    #expect(before == (try await node.playlist()))
    let second = try await publish("c2", on: node)
    // The program is a stream of its own by now, and its playlist the same.
    #expect(node.node.programs.status(of: "w")?.active == "main")
    #expect(try await eventually { try await node.playlist(of: "program") == before })
    await second.send(encoder.headers + encoder.messages(seconds: 7))
    #expect(await eventually { node.node.board[.named("w", "c2")]?.playlist?.segments == 2 })
    #expect(try await node.playlist(of: "program") == before)
    let cameras = directory(node)
    #expect(try await cameras.show("c2", of: "w").previous == "main")
    await second.send(encoder.messages(from: 7, seconds: 13))
    #expect(
      try await eventually {
        try await node.playlist(of: "program")?.discontinuities == before.discontinuities + 1
      })
    let after = try #require(try await node.playlist(of: "program"))
    #expect(after.problems(after: before) == [])
    #expect(after.mediaSequence == before.mediaSequence)
    #expect(after.entries.prefix(before.entries.count).elementsEqual(before.entries))
    #expect(try await node.playlist()?.discontinuities == before.discontinuities)
    let list = await cameras.cameras(of: "w")
    #expect(list.active == "c2")
    #expect(list.cameras.map(\.id) == ["main", "c2"])
    #expect(list.cameras.map(\.status) == [.live, .live])
  }

  @Test func `a camera that isn't there, or sends nothing, is not shown`() async throws {
    let node = try await TestNode()
    let cameras = directory(node)
    await #expect(throws: CameraError.unknown) { try await cameras.show("c2", of: "w") }
    _ = try await publish("c2", on: node)
    try await cameras.add(NewCamera(wedding: "w", id: "c3", name: "c3"))
    await #expect(throws: CameraError.unknown) { try await cameras.show("c4", of: "w") }
    await #expect(throws: CameraError.unknown) { try await cameras.show("c2", of: "v") }
    // Nobody has sent a segment yet, so what is chosen now comes first.
    #expect(
      try await cameras.show("c3", of: "w") == CameraChoice(previous: nil, isLive: false))
    #expect(
      try await cameras.show("main", of: "v")
        == CameraChoice(previous: "main", isLive: false, isKnown: false))
    #expect(node.node.cameras.chosen("w") == "c3")
  }

  @Test func `a node that hasn't got a wedding says which one has it, and changes nothing`()
    async throws
  {
    let node = try await TestNode()
    let cameras = directory(node, home: "origin-2")
    try await cameras.add(NewCamera(wedding: "w", id: "c2", name: "c2"))
    for camera in ["main", "c2"] {
      await #expect(throws: CameraError.elsewhere(node: "origin-2")) {
        try await cameras.show(camera, of: "w")
      }
    }
    await #expect(throws: CameraError.unknown) { try await cameras.show("c3", of: "w") }
    #expect(node.node.cameras.chosen("w") == nil)
    // What it has of it, it tells itself.
    _ = try await publish("c4", on: node)
    #expect(try await cameras.show("c4", of: "w").isLive)
  }

  /// What a process before this one has had on the air, or has brought to its end.
  private func died(_ cameras: String..., over: String? = nil, on node: TestNode) async throws {
    for camera in cameras {
      var numbers = try await node.store.begin(
        StreamNumbers.Name(wedding: "w", camera: camera), now: StreamOutlet.wallClockMilliseconds)
      numbers.isOver = camera == over
      try await node.store.end(numbers, now: numbers.updated)
    }
  }

  @Test(arguments: [(nil, 0), ("program", 1), ("c2", 1)] as [(String?, Int)])
  func `after a crash on the air the program waits for the camera that was chosen`(
    over: String?, switches: Int
  ) async throws {
    let node = try await TestNode()
    try await died("program", "c1", "c2", over: over, on: node)
    let cameras = directory(node)
    for id in ["c1", "c2"] {
      try await cameras.add(NewCamera(wedding: "w", id: id, name: id))
    }
    _ = try await cameras.show("c2", of: "w")
    let first = try await node.publish(try node.token(camera: "c1"))
    let second = try await node.publish(try node.token(camera: "c2"))
    await first.send(encoder.headers + encoder.messages(seconds: 7))
    #expect(await eventually { node.node.programs.status(of: "w")?.isLive == true })
    await second.send(encoder.headers + encoder.messages(seconds: 7))
    #expect(await eventually { node.node.programs.status(of: "w")?.active == "c2" })
    #expect(node.node.programs.status(of: "w")?.switches == switches)
  }

  @Test(arguments: ["c1", "c2"])
  func `one that the backend refuses after a crash leaves what is waited for`(
    refused: String
  ) async throws {
    let backend = TestBackend()
    let node = try await TestNode(hooks: backend.publishHooks)
    try await died("program", "c1", "c2", on: node)
    let cameras = directory(node)
    for id in ["c1", "c2"] {
      try await cameras.add(NewCamera(wedding: "w", id: id, name: id))
    }
    _ = try await cameras.show("c2", of: "w")
    await backend.hold()
    let other = try await node.connect(.publish, try node.token(camera: refused))
    #expect(await eventually { await backend.asked.count == 1 })
    #expect(await eventually { node.node.programs.status(of: "w") != nil })
    await backend.answer(try #require(await backend.asked.last), Refusal(.byBackend(status: 403)))
    #expect(await eventually { await other.state.refusal != nil })
    #expect(await eventually { node.node.programs.status(of: "w") == nil })
    await backend.letAll()
    let first = try await node.publish(try node.token(camera: "c1"))
    let second = try await node.publish(try node.token(camera: "c2"))
    await first.send(encoder.headers + encoder.messages(seconds: 7))
    #expect(await eventually { node.node.programs.status(of: "w")?.isLive == true })
    await second.send(encoder.headers + encoder.messages(seconds: 7))
    #expect(await eventually { node.node.programs.status(of: "w")?.active == "c2" })
    #expect(node.node.programs.status(of: "w")?.switches == 0)
  }

  @Test func `a removed camera's publisher is told why it ends`() async throws {
    let node = try await TestNode()
    let publisher = try await publish("c2", on: node)
    try await directory(node).remove("c2", of: "w")
    #expect(await eventually { await publisher.state.isOver })
    let again = try await node.connect(.publish, try node.token(camera: "c2"))
    #expect(await eventually { await again.state.refusal != nil })
    #expect(await again.state.refusal?.text.contains("was removed") == true)
  }

  @Test func `a camera that is removed while the backend is asked is not published`() async throws {
    let backend = TestBackend()
    let node = try await TestNode(hooks: backend.publishHooks)
    let cameras = directory(node)
    let key = try node.token(camera: "c2")
    func add(_ key: String) async throws {
      try await cameras.add(
        NewCamera(
          wedding: "w", id: "c2", name: "c2",
          key: CameraKey(
            digest: CredentialDigest.of(key.utf8),
            expires: StreamOutlet.wallClockMilliseconds / 1_000 + 60)))
    }
    try await add(key)
    await backend.hold()
    // One is removed for good, one comes back with another key.
    for (isAddedAgain, word) in [(false, "was removed"), (true, "none of this camera's")] {
      let asked = await backend.asked.count
      let publisher = try await node.connect(.publish, key)
      #expect(await eventually { await backend.asked.count == asked + 1 })
      try await cameras.remove("c2", of: "w")
      if isAddedAgain { try await add(try node.token(camera: "c2", priority: 1)) }
      await backend.answer(try #require(await backend.asked.last))
      #expect(await eventually { await publisher.state.refusal != nil })
      #expect(await publisher.state.refusal?.text.contains(word) == true)
      #expect(await eventually { await backend.told.count == (isAddedAgain ? 2 : 1) })
      #expect(node.node.board[.named("w", "c2")]?.state != .live)
      if !isAddedAgain { try await add(key) }
    }
  }

  @Test func `of many who add and switch at once all are served, within the plan`() async throws {
    let node = try await TestNode()
    let cameras = directory(node)
    let added = await withTaskGroup(of: Bool.self) { group in
      for number in 0..<40 {
        group.addTask {
          let camera = NewCamera(wedding: "w", id: "c\(number)", name: "c")
          return (try? await cameras.add(camera)) != nil
        }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(added == 15, "the main one is the sixteenth")
    let ids = await cameras.cameras(of: "w").cameras.map(\.id)
    for id in ids.prefix(3) {
      let publisher = try await node.publish(try node.token(camera: id))
      await publisher.send(encoder.headers + encoder.messages(seconds: 7))
    }
    #expect(await eventually { node.node.board.liveCount == 3 })
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<60 {
        group.addTask { _ = try? await cameras.show(ids[number % 3], of: "w") }
      }
    }
    // What is kept is what is shown, once the first segment of that camera is there.
    let chosen = try #require(node.node.cameras.chosen("w"))
    #expect(await eventually { node.node.programs.status(of: "w")?.active == chosen })
    #expect(node.node.cameras.chosen("w") == chosen)
  }
}
