import ControlAPI
import Media
import Recording
import Store
import Testing

@testable import Origin

/// A store of orders that can be out of reach.
private actor AwayOrders: RecordingOrderStore {
  private let inner = MemoryRecordingOrders()
  private var isAway = false

  func set(away: Bool) { isAway = away }

  private func check() throws(StoreError) { if isAway { throw .unreachable("it is away") } }

  func order(
    _ isRecorded: Bool, of stream: StreamNumbers.Name, now: Int64
  ) async throws(StoreError) {
    try check()
    try await inner.order(isRecorded, of: stream, now: now)
  }

  func order(of stream: StreamNumbers.Name, now: Int64) async throws(StoreError) -> Bool? {
    try check()
    return try await inner.order(of: stream, now: now)
  }

  func end(_ stream: StreamNumbers.Name) async throws(StoreError) {
    try check()
    try await inner.end(stream)
  }
}

/// A store of orders on a disk that stalls: nobody is ever answered.
private struct StalledOrders: RecordingOrderStore {
  private let never = AsyncStream.makeStream(of: Void.self)

  private func wait() async { for await _ in never.stream {} }

  func order(
    _ isRecorded: Bool, of stream: StreamNumbers.Name, now: Int64
  ) async throws(StoreError) { await wait() }

  func order(of stream: StreamNumbers.Name, now: Int64) async throws(StoreError) -> Bool? {
    await wait()
    return nil
  }

  func end(_ stream: StreamNumbers.Name) async throws(StoreError) { await wait() }
}

@Suite(.timeLimit(.minutes(3))) struct `What was ordered of a stream` {
  private let name = StreamNumbers.Name(wedding: "w", camera: "main")

  /// A node that records nothing by itself.
  private static func node(_ store: any RecordingOrderStore) async throws -> RecordingNode {
    try await RecordingNode(isAutomatic: false, orders: store)
  }

  /// A publisher sends two seconds, and returns when more than one of them is recorded.
  private static func records(_ publisher: Remote, at node: RecordingNode) async throws {
    let encoder = Encoder()
    await publisher.send(encoder.headers + encoder.messages(seconds: 2))
    #expect(
      try await eventually {
        try await node.recordings.recordings(ofWedding: "w").first?.duration ?? 0 > 1
      })
  }

  @Test func `holds at the node that has it, whichever was asked`() async throws {
    let store = MemoryRecordingOrders()
    let (asked, other) = (try await Self.node(store), try await Self.node(store))
    #expect(try await asked.recordings.start(wedding: "w", camera: "main").isEmpty)
    let publisher = try await other.node.publish(try other.node.token())
    try await Self.records(publisher, at: other)
    // Whoever is asked ends it; the one that has it hears of that.
    _ = try await asked.recordings.stop(wedding: "w", camera: "main")
    let key = try #require(StreamKey(wedding: "w"))
    await other.recordings.refresh("w", live: [key])
    #expect(try await eventually { try await other.states() == ["completed"] })
    #expect(!other.service.desk.wants(key, "source"))
    await publisher.leave()
  }

  @Test func `is done where the stream is when it comes late`() async throws {
    let store = MemoryRecordingOrders()
    let (asked, other) = (try await Self.node(store), try await Self.node(store))
    let publisher = try await other.node.publish(try other.node.token())
    let encoder = Encoder()
    await publisher.send(encoder.headers + encoder.messages(seconds: 2))
    _ = try await asked.recordings.start(wedding: "w", camera: "main")
    let key = try #require(StreamKey(wedding: "w"))
    await other.recordings.refresh("v", live: [key])
    #expect(try await other.states().isEmpty)
    await other.recordings.refresh(nil, live: [key])
    #expect(try await eventually { try await other.states() == ["recording"] })
    await publisher.leave()
  }

  @Test func `is done where the stream is just beginning when it comes`() async throws {
    let store = MemoryRecordingOrders()
    let (asked, other) = (try await Self.node(store), try await Self.node(store))
    let publisher = try await other.node.publish(try other.node.token())
    // It isn't on the air yet.
    _ = try await asked.recordings.start(wedding: "w", camera: "main")
    await other.recordings.refresh("w", live: [])
    try await Self.records(publisher, at: other)
    // Neither when it is to end: what was ordered is known here by then.
    _ = try await asked.recordings.stop(wedding: "w", camera: "main")
    await other.recordings.refresh("w", live: [])
    #expect(try await eventually { try await other.states() == ["completed"] })
    await publisher.leave()
  }

  @Test func `stays as it was when it is read while its recording is being stopped`() async throws {
    let recording = try await RecordingNode(isAutomatic: false)
    let key = try #require(StreamKey(wedding: "w"))
    await recording.orders.order(true, of: key)
    let desk = recording.service.desk
    var reader: Task<[StreamKey], Never>?
    await recording.orders.stop(key) {
      desk.wish(key, isRecorded: false)
      let orders = recording.orders
      reader = Task { await orders.refresh("w", live: [key]) }
      // It has the time to read what holds no longer.
      for _ in 0..<1_000 { await Task.yield() }
      #expect(!desk.wants(key, "source"))
    }
    #expect(await reader?.value == [])
    #expect(!desk.wants(key, "source"))
  }

  @Test func `is over with the stream, for all`() async throws {
    let store = MemoryRecordingOrders()
    let (asked, other) = (try await Self.node(store), try await Self.node(store))
    _ = try await asked.recordings.start(wedding: "w", camera: "main")
    let key = try #require(StreamKey(wedding: "w"))
    await other.orders.learn(key)
    #expect(other.service.desk.wants(key, "source"))
    await other.orders.over(key)
    #expect(!other.service.desk.wants(key, "source"))
    #expect(try await store.order(of: name, now: 0) == nil)
    // Who was asked for it hears of that when the stream begins there.
    await asked.orders.learn(key)
    #expect(!asked.service.desk.wants(key, "source"))
  }

  @Test func `holds here while it can't be told, and is told when it can`() async throws {
    let store = AwayOrders()
    let recording = try await RecordingNode(isAutomatic: false, orders: store)
    let key = try #require(StreamKey(wedding: "w"))
    await store.set(away: true)
    _ = try await recording.recordings.start(wedding: "w", camera: "main")
    #expect(await !recording.orders.learn(key))
    #expect(recording.service.desk.wants(key, "source"))
    await store.set(away: false)
    await recording.orders.tellAgain()
    #expect(try await store.order(of: name, now: 0) == true)
    await store.set(away: true)
    await recording.orders.over(key)
    #expect(!recording.service.desk.wants(key, "source"))
    await store.set(away: false)
    #expect(await recording.orders.learn(key))
    #expect(try await store.order(of: name, now: 0) == nil)
    #expect(!recording.service.desk.wants(key, "source"))
  }

  @Test func `is waited for by no publisher where its store never answers`() async throws {
    let recording = try await RecordingNode(
      isAutomatic: false, orders: StalledOrders(), patience: .milliseconds(50))
    let publisher = try await recording.node.publish(try recording.node.token())
    // What is ordered then holds here all the same.
    _ = try await recording.recordings.start(wedding: "w", camera: "main")
    let encoder = Encoder()
    await publisher.send(encoder.headers + encoder.messages(seconds: 2))
    #expect(try await eventually { try await recording.states() == ["recording"] })
    let key = try #require(StreamKey(wedding: "w"))
    await recording.orders.over(key)
    #expect(recording.service.desk.order(of: key) == nil)
    await publisher.leave()
  }

  @Test func `is of no program`() async throws {
    let recording = try await RecordingNode(isAutomatic: false)
    await #expect(throws: APIError.self) {
      try await recording.recordings.start(wedding: "w", camera: "program")
    }
  }
}
