import Access
import EventLoop
import Foundation
import HTTPClient
import HTTPTypes
import Logging
import Media
import Synchronization
import Telemetry
import Testing
import Viewers

@testable import Edge

@Suite struct `Following a stream` {
  @Test func `a node that answers while the stream moves is not asked again`() async throws {
    let node = try EdgeNode()
    let key = try #require(StreamKey(wedding: "moving", camera: "main"))
    let feed = """
      {"wedding":"moving","camera":"main","launch":"a","version":1,"isOver":false,"isProgram":true,
      "masters":[],"programMasters":[],"coming":[],"renditions":[{"name":"source",
      "viewers":1,"nextSequence":3,"targetDuration":3,"playlist":"#EXTM3U","segments":[]}]}
      """
    let body = try #require(feed.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
    try await node.set("live/moving/main", "body=\(body)")

    // One origin under two names is two nodes.
    let port = try #require(node.origin.address.split(separator: ":").last)
    let first = try #require(Upstream("http://127.0.0.1:\(port)"))
    let second = try #require(Upstream("http://localhost:\(port)"))
    let place = Mutex(first)
    let follower = Mutex<EdgeLive?>(nil)
    let live = EdgeLive(
      proxy: node.proxy, client: try HTTPClient(), pass: PeerPass(secret: Array("s".utf8)),
      name: "edge",
      locator: LiveLocator(
        find: { _ in LiveLocator.Place([place.withLock { $0 }]) },
        isStale: { key, _, _ in
          // The answer has come, and isn't taken yet.
          let hasMoved = place.withLock { place in
            defer { place = second }
            return place == second
          }
          if !hasMoved { follower.withLock { $0 }?.moved(key) }
          return false
        }), metrics: MetricRegistry(), logger: Logger(label: "test"))
    follower.withLock { $0 = live }
    defer { live.close() }
    _ = live.follow(key)
    #expect(
      try await node.eventually {
        guard try await node.count("live/moving/main") > 1 else { return false }
        return try await node.asked("live/moving/main")["host"]?.hasPrefix("localhost") == true
      })
  }

  @Test func `a camera that was the program is followed by its own address from then on`()
    async throws
  {
    let node = try EdgeNode()
    let program = try #require(StreamKey(wedding: "split", camera: "program"))
    func tell(_ address: String, _ camera: String, isProgram: Bool, version: Int) async throws {
      let feed = """
        {"wedding":"split","camera":"\(camera)","launch":"a","version":\(version),"isOver":false,
        "isProgram":\(isProgram),"masters":[],"programMasters":[],"coming":[],"renditions":[{
        "name":"source","viewers":1,"nextSequence":3,"targetDuration":3,"playlist":"#EXTM3U",
        "segments":[]}]}
        """
      let body = try #require(feed.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
      try await node.set("live/split/\(address)", "body=\(body)")
    }
    try await tell("program", "main", isProgram: true, version: 1)
    try await tell("main", "main", isProgram: false, version: 2)

    let upstream = try #require(Upstream(node.origin.address))
    let live = EdgeLive(
      proxy: node.proxy, client: try HTTPClient(), pass: PeerPass(secret: Array("s".utf8)),
      name: "edge", locator: LiveLocator(find: { _ in LiveLocator.Place([upstream]) }),
      metrics: MetricRegistry(), logger: Logger(label: "test"))
    defer { live.close() }
    func following(_ key: StreamKey) -> StreamSnapshot? {
      guard case .begun(let snapshot) = live.follow(key) else { return nil }
      return snapshot
    }
    #expect(try await node.eventually { following(program)?.key.camera == "main" })
    #expect(try await node.count("live/split/main") == 0)

    // In between there is no program: nobody is told of a camera in its place.
    try await tell("program", "main", isProgram: false, version: 2)
    let asked = try await node.count("live/split/program")
    #expect(try await node.eventually { try await node.count("live/split/program") > asked + 2 })
    #expect(following(program)?.isProgram == true)

    try await tell("program", "program", isProgram: false, version: 3)
    #expect(try await node.eventually { following(program)?.key == program })
    #expect(try await node.eventually { try await node.count("live/split/main") > 0 })
  }

  @Test(arguments: [false, true])
  func `without anybody to ask it is unknown whether there is a stream`(isPartial: Bool)
    async throws
  {
    let node = try EdgeNode()
    let key = try #require(StreamKey(wedding: "nobody", camera: "main"))
    let live = EdgeLive(
      proxy: node.proxy, client: try HTTPClient(), pass: PeerPass(secret: Array("s".utf8)),
      name: "edge",
      locator: LiveLocator(find: { _ in LiveLocator.Place([], isPartial: isPartial) }),
      metrics: MetricRegistry(), logger: Logger(label: "test"))
    defer { live.close() }
    func word() -> String {
      switch live.follow(key) {
      case .begun: "begun"
      case .absent: "absent"
      case .unknown: "unknown"
      case .full: "full"
      }
    }
    #expect(word() == "begun")
    // For a second from then on nobody is looked for again.
    #expect(try await node.eventually { word() == (isPartial ? "unknown" : "absent") })
  }

  @Test func `a node that answers no more is not waited for`() async throws {
    let node = try EdgeNode()
    let key = try #require(StreamKey(wedding: "silent", camera: "main"))
    try await node.set("live/silent/main", "hold=1")
    // One origin under two names is two nodes.
    let port = try #require(node.origin.address.split(separator: ":").last)
    let first = try #require(Upstream("http://127.0.0.1:\(port)"))
    let second = try #require(Upstream("http://localhost:\(port)"))
    let place = Mutex(first)
    let live = EdgeLive(
      proxy: node.proxy, client: try HTTPClient(), pass: PeerPass(secret: Array("s".utf8)),
      name: "edge",
      locator: LiveLocator(find: { _ in LiveLocator.Place([place.withLock { $0 }]) }),
      metrics: MetricRegistry(), logger: Logger(label: "test"))
    defer { live.close() }
    _ = live.follow(key)
    #expect(try await node.eventually { try await node.count("live/silent/main") == 1 })
    place.withLock { $0 = second }
    live.lost([second.authority])
    #expect(try await node.count("live/silent/main") == 1)
    live.lost([first.authority])
    #expect(
      try await node.eventually {
        try await node.asked("live/silent/main")["host"]?.hasPrefix("localhost") == true
      })
  }

  @Test func `a stream is not absent while one that may have it can't be asked`() async throws {
    let node = try EdgeNode()
    let key = try #require(StreamKey(wedding: "partial", camera: "main"))
    try await node.set("live/partial/main", "status=404")
    let upstream = try #require(Upstream(node.origin.address))
    let live = EdgeLive(
      proxy: node.proxy, client: try HTTPClient(), pass: PeerPass(secret: Array("s".utf8)),
      name: "edge",
      locator: LiveLocator(find: { _ in LiveLocator.Place([upstream], isPartial: true) }),
      metrics: MetricRegistry(), logger: Logger(label: "test"))
    defer { live.close() }
    _ = live.follow(key)
    #expect(try await node.eventually { try await node.count("live/partial/main") > 1 })
    guard case .begun = live.follow(key) else {
      Issue.record("it was said to be absent")
      return
    }
  }

  @Test(arguments: [false, true])
  func `who has made nothing of a stream ends it where no other has it on the air`(
    isElsewhere: Bool
  ) async throws {
    let node = try EdgeNode()
    let key = try #require(StreamKey(wedding: "ends", camera: "main"))
    let client = try HTTPClient()
    let authority = String(node.origin.address.dropFirst("http://".count))
    @Sendable func tell(launch: String, next: Int?, isOver: Bool = false) async throws {
      let rendition = next.map { next in
        """
        {"name":"source","viewers":1,"nextSequence":\(next),"targetDuration":3,
        "playlist":"#EXTM3U","segments":[]}
        """
      }
      let feed = """
        {"wedding":"ends","camera":"main","launch":"\(launch)","version":1,"isOver":\(isOver),
        "isProgram":true,"masters":[],"programMasters":[],"coming":[],
        "renditions":[\(rendition ?? "")]}
        """
      let body = try #require(feed.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
      let request = HTTPRequest(
        method: .get, scheme: "http", authority: authority,
        path: "/set/live/ends/main?body=\(body)")
      _ = try await client.send(request, deadline: .seconds(60))
    }
    try await tell(launch: "a", next: 3)
    // One origin under two names is two nodes; what it says changes when others are looked for.
    let port = try #require(node.origin.address.split(separator: ":").last)
    let nodes = try ["127.0.0.1", "localhost"].map {
      try #require(Upstream("http://\($0):\(port)"))
    }
    let looks = Mutex(0)
    let live = EdgeLive(
      proxy: node.proxy, client: client, pass: PeerPass(secret: Array("s".utf8)),
      name: "edge",
      locator: LiveLocator(find: { _ in
        let isFirst = looks.withLock { looks in
          looks += 1
          return looks == 1
        }
        if isElsewhere, !isFirst { try? await tell(launch: "c", next: 4) }
        return LiveLocator.Place(nodes)
      }), metrics: MetricRegistry(), logger: Logger(label: "test"))
    defer { live.close() }
    func snapshot() -> StreamSnapshot? {
      guard case .begun(let snapshot) = live.follow(key) else { return nil }
      return snapshot
    }
    #expect(try await node.eventually { snapshot()?.renditions.first?.nextSequence == 3 })
    try await tell(launch: "b", next: nil, isOver: true)
    #expect(
      try await node.eventually {
        snapshot()?.isOver == true || snapshot()?.renditions.first?.nextSequence == 4
      })
    #expect(snapshot()?.isOver == !isElsewhere)
  }

  @Test func `a stream that has come home is not lost`() async throws {
    let node = try EdgeNode()
    let key = try #require(StreamKey(wedding: "home", camera: "main"))
    let feed = """
      {"wedding":"home","camera":"main","launch":"a","version":1,"isOver":false,"isProgram":true,
      "masters":[],"programMasters":[],"coming":[],"renditions":[{"name":"source",
      "viewers":1,"nextSequence":3,"targetDuration":3,"playlist":"#EXTM3U","segments":[]}]}
      """
    let body = try #require(feed.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
    try await node.set("live/home/main", "body=\(body)")
    let upstream = try #require(Upstream(node.origin.address))
    let isHere = Mutex(false)
    let nodes = Mutex([upstream])
    let looks = Mutex(0)
    let words = LogWords()
    var configuration = LiveConfiguration()
    configuration.longestPause = .milliseconds(10)
    let live = EdgeLive(
      proxy: node.proxy, client: try HTTPClient(), pass: PeerPass(secret: Array("s".utf8)),
      name: "edge",
      locator: LiveLocator(
        find: { _ in
          looks.withLock { $0 += 1 }
          return LiveLocator.Place(nodes.withLock { $0 })
        }), configuration: configuration,
      own: EdgeLive.OwnStreams(version: { 9 }, isHere: { _ in isHere.withLock { $0 } }),
      metrics: MetricRegistry(), logger: Logger(label: "test") { _ in words })
    defer { live.close() }
    func hasLooked() async throws -> Bool {
      let before = looks.withLock { $0 }
      return try await node.eventually { looks.withLock { $0 } > before + 3 }
    }
    _ = live.follow(key)
    #expect(try await node.eventually { words.all.contains("stream found") })
    nodes.withLock { $0 = [] }
    isHere.withLock { $0 = true }
    live.moved(key)
    #expect(try await hasLooked())
    // It is over here, and forgotten.
    isHere.withLock { $0 = false }
    #expect(try await hasLooked())
    #expect(!words.all.contains("stream lost"))
  }

  @Test func `a stream that nobody has any more is said to be lost, once`() async throws {
    let node = try EdgeNode()
    let key = try #require(StreamKey(wedding: "lost", camera: "main"))
    let feed = """
      {"wedding":"lost","camera":"main","launch":"a","version":1,"isOver":false,"isProgram":true,
      "masters":[],"programMasters":[],"coming":[],"renditions":[{"name":"source",
      "viewers":1,"nextSequence":3,"targetDuration":3,"playlist":"#EXTM3U","segments":[]}]}
      """
    let body = try #require(feed.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
    try await node.set("live/lost/main", "body=\(body)")
    let upstream = try #require(Upstream(node.origin.address))
    let nodes = Mutex([upstream])
    let words = LogWords()
    let live = EdgeLive(
      proxy: node.proxy, client: try HTTPClient(), pass: PeerPass(secret: Array("s".utf8)),
      name: "edge", locator: LiveLocator(find: { _ in LiveLocator.Place(nodes.withLock { $0 }) }),
      metrics: MetricRegistry(), logger: Logger(label: "test") { _ in words })
    defer { live.close() }
    _ = live.follow(key)
    #expect(try await node.eventually { words.all.contains("stream found") })
    nodes.withLock { $0 = [] }
    live.moved(key)
    #expect(try await node.eventually { words.all.contains("stream lost") })
    #expect(words.all.filter { $0 == "stream lost" }.count == 1)
  }
}

/// What the log is told.
private final class LogWords: LogHandler {
  private let words = Mutex<[String]>([])
  var metadata: Logger.Metadata {
    get { [:] }
    set {}
  }
  var logLevel: Logger.Level {
    get { .trace }
    set {}
  }

  var all: [String] { words.withLock { $0 } }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { nil }
    set {}
  }

  func log(event: LogEvent) { words.withLock { $0.append("\(event.message)") } }
}
