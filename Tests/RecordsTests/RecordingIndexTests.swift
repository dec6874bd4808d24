import Cluster
import Logging
import Records
import Redis
import RedisSupport
import Store
import Synchronization
import Telemetry
import Testing

/// The recordings of a node, as a test wants them.
private final class SomeRecordings: Sendable {
  let all = Mutex<[String: RecordingPublication.Own]>([:])

  func put(
    _ id: String, _ wedding: String = "w", started: Int64 = 1, document: String = "{}"
  ) {
    all.withLock {
      $0[id] = RecordingPublication.Own(
        id: id, wedding: wedding, started: started, isUnderWay: false, document: document)
    }
  }

  func remove(_ id: String) { all.withLock { $0[id] = nil } }

  var source: RecordingPublication.Source {
    RecordingPublication.Source(
      all: { [self] in .success(all.withLock { Array($0.values) }) },
      one: { [self] id in .success(all.withLock { $0[id] }) })
  }
}

@Suite(.timeLimit(.minutes(2))) struct `Recordings of a cluster` {
  let folder: Folder
  private static let secret = RecordSeal(Array("what all nodes know".utf8))

  init() throws { folder = try Folder() }

  private func shared(_ seal: RecordSeal = secret) throws -> RedisRecordings {
    let server = try folder.redis()
    var configuration = try server.configuration()
    configuration.reconnectPatience = .milliseconds(50)
    configuration.longestPause = .milliseconds(100)
    return RedisRecordings(try server.client(configuration), seal: seal, deadline: .seconds(20))
  }

  private func entry(
    _ id: String, _ wedding: String = "w", node: String = "one", until: Int64 = 1_000
  ) -> RecordingEntry {
    RecordingEntry(id: id, wedding: wedding, node: node, until: until, document: "{\"a\": \"ü b\"}")
  }

  private func entries(_ shared: RedisRecordings, _ wedding: String = "w") async throws
    -> [RecordingEntry]
  {
    try await shared.entries(ofWedding: wedding, now: 0).entries.sorted { $0.id < $1.id }
  }

  /// Runs a node's publication while a test looks at it.
  private func publishing(
    _ recordings: SomeRecordings, _ shared: RedisRecordings, node: String = "one",
    limit: Int = 100, registry: MetricRegistry = MetricRegistry(),
    _ test: (RecordingPublication) async throws -> Void
  ) async throws {
    let publication = RecordingPublication(
      shared, node: node, limit: limit, metrics: RecordingIndexMetrics(registry), logger: quiet,
      now: { 1_000 })
    let task = Task { await publication.run(recordings.source) }
    do {
      try await test(publication)
    } catch {
      task.cancel()
      throw error
    }
    task.cancel()
    await task.value
  }

  private func eventually(_ isSo: () async throws -> Bool) async throws {
    while true {
      if (try? await isSo()) == true { return }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  // MARK: The index

  @Test func `what is told of a recording is read, by its wedding and by its name`() async throws {
    let shared = try shared()
    let told = [entry("a"), entry("b", node: "two"), entry("c", "v")]
    try await shared.put(told)
    #expect(try await entries(shared) == [told[0], told[1]])
    #expect(try await entries(shared, "v") == [told[2]])
    #expect(try await shared.entry("c", ofWedding: nil, now: 0) == told[2])
    #expect(try await shared.entry("c", ofWedding: "v", now: 0) == told[2])
    #expect(try await shared.entry("c", ofWedding: "w", now: 0) == nil)
    #expect(try await shared.entry("d", ofWedding: nil, now: 0) == nil)
    #expect(try await shared.told(by: "one") == ["a": "w", "c": "v"])
    // What nobody has said anew for too long is believed no more.
    #expect(try await shared.entry("c", ofWedding: nil, now: 1_000) == nil)
    #expect(try await shared.entries(ofWedding: "w", now: 1_000).entries.isEmpty)
  }

  @Test func `only its node takes an entry away, and nothing is left of it`() async throws {
    let shared = try shared()
    try await shared.put([entry("a"), entry("b", node: "two")])
    try await shared.remove(["a": "w", "b": "w"], of: "one")
    #expect(try await entries(shared).map(\.id) == ["b"])
    #expect(try await shared.entry("b", ofWedding: nil, now: 0) != nil)
    try await shared.remove(["b": "w"], of: "two")
    #expect(try folder.redis().ask("keys", "wl:record*").split(separator: "\n") == ["wl:records"])
  }

  @Test func `everything goes by itself where nobody says it any more`() async throws {
    try await shared().put([entry("a")])
    for key in ["wl:recordings:{w}", "wl:recording:a", "wl:recorded:one"] {
      let left = try folder.redis().ask("pttl", key).filter { !$0.isWhitespace }
      #expect((1...RedisRecordings.life).contains(try #require(Int64(left))), "\(key)")
    }
  }

  @Test func `what nobody with the secret has written is not believed`() async throws {
    let shared = try shared()
    try await shared.put([entry("a"), entry("b")])
    let value = try folder.redis().ask("hget", "wl:recordings:{w}", "a")
    let text = String(value.dropLast())
    let forged = [
      text.replacing(" one ", with: " two "), text.replacing("1000", with: "2000"), "", "a b c d",
      String(text.dropLast()), String(repeating: "x", count: RedisRecordings.mostBytes + 1),
    ]
    for value in forged {
      _ = try folder.redis().ask("hset", "wl:recordings:{w}", "a", value)
      #expect(try await entries(shared).map(\.id) == ["b"])
      #expect(try await shared.entry("a", ofWedding: "w", now: 0) == nil)
    }
    // Nor what was said of another recording or wedding.
    _ = try folder.redis().ask("hset", "wl:recordings:{w}", "c", text)
    _ = try folder.redis().ask("hset", "wl:recordings:{v}", "a", text)
    #expect(try await entries(shared).map(\.id) == ["b"])
    #expect(try await entries(shared, "v").isEmpty)
    #expect(try await entries(try self.shared(RecordSeal(Array("another".utf8)))).isEmpty)
  }

  // MARK: What a node tells

  @Test func `changes are told, and deletions, before who made them goes on`() async throws {
    let (shared, recordings) = (try shared(), SomeRecordings())
    recordings.put("a")
    try await publishing(recordings, shared) { publication in
      try await eventually { try await entries(shared).map(\.id) == ["a"] }
      recordings.put("a", document: "{1}")
      recordings.put("b")
      publication.note("a")
      publication.note("b")
      await publication.settle()
      #expect(try await entries(shared).map(\.document) == ["{1}", "{}"])
      recordings.remove("a")
      publication.note("a")
      await publication.settle()
      #expect(try await entries(shared).map(\.id) == ["b"])
    }
  }

  @Test func `what a node has lost while it was away is taken away when it is back`() async throws {
    let (shared, recordings) = (try shared(), SomeRecordings())
    try await shared.put([entry("lost"), entry("kept"), entry("other", node: "two")])
    recordings.put("kept", document: "{1}")
    try await publishing(recordings, shared) { publication in
      await publication.settle()
      try await eventually { try await entries(shared).map(\.id) == ["kept", "other"] }
      #expect(try await shared.told(by: "one") == ["kept": "w"])
      #expect(try await entries(shared)[0].document == "{1}")
    }
  }

  @Test func `a Redis that was away or has lost its data is told all of it`() async throws {
    let (shared, recordings) = (try shared(), SomeRecordings())
    for id in ["a", "b", "c"] { recordings.put(id) }
    try await publishing(recordings, shared) { publication in
      try await eventually { try await entries(shared).count == 3 }
      try folder.redis().kill()
      recordings.remove("b")
      recordings.put("d")
      for id in ["b", "d"] { publication.note(id) }
      await publication.settle()
      try folder.redis().start()
      try await eventually { try await entries(shared).map(\.id) == ["a", "c", "d"] }
      // Emptied without the connection being lost.
      _ = try folder.redis().ask("flushall")
      try await eventually { try await entries(shared).map(\.id) == ["a", "c", "d"] }
      #expect(try await shared.entry("d", ofWedding: nil, now: 1_000)?.node == "one")
    }
  }

  @Test func `nobody waits for a Redis that is silent, nor for one who tells no more`() async throws
  {
    let (shared, recordings) = (try shared(), SomeRecordings())
    var left: RecordingPublication?
    try await publishing(recordings, shared) { publication in
      left = publication
      await publication.settle()
      try folder.redis().pause()
      recordings.put("a")
      publication.note("a")
      await publication.settle(within: .milliseconds(50))
      try folder.redis().resume()
      // It is told all the same.
      try await eventually { try await entries(shared).map(\.id) == ["a"] }
    }
    await left?.settle(within: .seconds(3_600))
  }

  @Test func `the newest are told of where there are too many`() async throws {
    let (shared, recordings, registry) = (try shared(), SomeRecordings(), MetricRegistry())
    for number in 1...5 { recordings.put("r\(number)", "w\(number % 2)", started: Int64(number)) }
    func told() async throws -> [String] { try await shared.told(by: "one").keys.sorted() }
    try await publishing(recordings, shared, limit: 3, registry: registry) { publication in
      try await eventually { try await told() == ["r3", "r4", "r5"] }
      await publication.settle()
      #expect(registry.value("wedlive_recording_index_left_out") == 2)
      recordings.put("r6", "w0", started: 6)
      publication.note("r6")
      await publication.settle()
      #expect(try await told() == ["r4", "r5", "r6"])
      recordings.remove("r5")
      publication.note("r5")
      await publication.settle()
      #expect(try await told() == ["r3", "r4", "r6"])
      #expect(registry.value("wedlive_recording_index_entries") == 3)
    }
  }

  // MARK: What a node knows

  @Test func `what was known last is known while Redis is away, and said to be that`() async throws
  {
    let shared = try shared()
    let known = KnownRecordings(shared, isAway: { _ in false }, now: { 0 })
    try await shared.put([entry("a"), entry("b", node: "two")])
    let before = await known.listing(ofWedding: "w")
    #expect(before.doubt == nil)
    #expect(before.entries.count == 2)
    #expect(await known.find("a", ofWedding: nil) == .node("one"))
    #expect(await known.find("x", ofWedding: nil) == .nobody)
    try folder.redis().kill()
    let after = await known.listing(ofWedding: "w")
    #expect(after.doubt != nil)
    #expect(after.entries == before.entries)
    #expect(await known.find("b", ofWedding: "w") == .node("two"))
    guard case .unknown = await known.find("x", ofWedding: nil) else {
      Issue.record("nobody can say that there is no such recording")
      return
    }
  }

  @Test func `what Redis has lost is not taken for deleted`() async throws {
    let shared = try shared()
    let known = KnownRecordings(shared, isAway: { _ in false }, now: { 0 })
    try await shared.put([entry("a"), entry("b", node: "two")])
    _ = await known.listing(ofWedding: "w")
    _ = try folder.redis().ask("flushall")
    try await shared.put([entry("b", node: "two")])
    let listing = await known.listing(ofWedding: "w")
    #expect(listing.entries.map(\.id).sorted() == ["a", "b"])
    #expect(listing.doubt != nil)
    guard case .unknown = await known.find("x", ofWedding: "w") else {
      Issue.record("its node may not have told of it again yet")
      return
    }
  }

  @Test func `what a node has told that is away is not lost with Redis' data`() async throws {
    let shared = try shared()
    let away = Mutex<Set<String>>(["two"])
    let known = KnownRecordings(
      shared, settling: .zero, isAway: { node in away.withLock { $0.contains(node) } },
      now: { 0 })
    try await shared.put([entry("a"), entry("b", node: "two")])
    _ = await known.listing(ofWedding: "w")
    #expect(!known.hasLost)
    _ = try folder.redis().ask("flushall")
    try await shared.put([entry("c")])
    var listing = await known.listing(ofWedding: "w")
    // One that is there would have told of it.
    #expect(listing.entries.map(\.id).sorted() == ["b", "c"])
    #expect(listing.doubt != nil)
    #expect(known.hasLost)
    known.forget("a")
    #expect(await known.find("a", ofWedding: "w") == .nobody)
    away.withLock { $0 = [] }
    listing = await known.listing(ofWedding: "w")
    #expect(listing.entries.map(\.id) == ["c"])
    #expect(listing.doubt == nil)
  }

  @Test func `what is deleted in a Redis that is well is gone`() async throws {
    let shared = try shared()
    let known = KnownRecordings(shared, isAway: { _ in false }, now: { 0 })
    try await shared.put([entry("a"), entry("b", node: "two")])
    _ = await known.listing(ofWedding: "w")
    try await shared.remove(["a": "w"], of: "one")
    let listing = await known.listing(ofWedding: "w")
    #expect(listing.entries.map(\.id) == ["b"])
    #expect(listing.doubt == nil)
    known.forget("a")
    #expect(await known.find("a", ofWedding: nil) == .nobody)
  }
}

extension MetricRegistry {
  /// A series' value in the text that Prometheus reads.
  fileprivate func value(_ name: String) -> Int? {
    String(decoding: text(), as: UTF8.self).split(separator: "\n")
      .first { $0.hasPrefix("\(name) ") }
      .flatMap { Int($0.dropFirst(name.count + 1)) }
  }
}
