import Records
import Redis
import RedisSupport
import Store
import Testing

@Suite(.timeLimit(.minutes(2))) struct `Recording orders` {
  private let folder: Folder
  private let stream = StreamNumbers.Name(wedding: "w", camera: "main")
  private let other = StreamNumbers.Name(wedding: "w", camera: "two")

  init() throws { folder = try Folder() }

  /// Waits until a client that connects by itself has done so.
  private func ready(_ store: any RecordingOrderStore) async throws {
    while true {
      do {
        return try await store.end(StreamNumbers.Name(wedding: "nobody", camera: "main"))
      } catch StoreError.unreachable {
        try await Task.sleep(for: .milliseconds(20))
      }
    }
  }

  @Test(arguments: Kind.allCases)
  func `in every store, hold until another one comes, or the end`(kind: Kind) async throws {
    let store = try kind.orders(folder)
    try await ready(store)
    #expect(try await store.order(of: stream, now: 5) == nil)
    try await store.order(true, of: stream, now: 5)
    #expect(try await store.order(of: stream, now: 5) == true)
    #expect(try await store.order(of: other, now: 5) == nil)
    try await store.order(false, of: stream, now: 6)
    #expect(try await store.order(of: stream, now: 6) == false)
    try await store.end(stream)
    try await store.end(stream)
    #expect(try await store.order(of: stream, now: 6) == nil)
  }

  @Test(arguments: [Kind.memory, .sqlite])
  func `of streams whose end nobody tells are forgotten`(kind: Kind) async throws {
    let store = try kind.orders(folder)
    try await store.order(true, of: stream, now: 5)
    #expect(try await store.order(of: stream, now: 4 + RecordingOrderLife.longest) == true)
    #expect(try await store.order(of: stream, now: 5 + RecordingOrderLife.longest) == nil)
  }

  /// One node's, whose client soon knows that its server has gone.
  private func node(_ name: String) throws -> ClusterRecordingOrders {
    let server = try folder.redis()
    var configuration = try server.configuration()
    configuration.reconnectPatience = .milliseconds(50)
    configuration.longestPause = .milliseconds(100)
    return ClusterRecordingOrders(
      RedisRecordingOrders(try server.client(configuration), deadline: .seconds(20)),
      copy: SQLiteRecordingOrders(try folder.file("\(name).sqlite")))
  }

  @Test func `are every node's, and ended by any`() async throws {
    let (one, two) = (try node("one"), try node("two"))
    try await ready(one)
    try await ready(two)
    try await one.order(true, of: stream, now: 5)
    #expect(try await two.order(of: stream, now: 5) == true)
    try await two.end(stream)
    // What its own copy has is older than that.
    #expect(try await one.order(of: stream, now: 5) == nil)
  }

  @Test func `are given to a Redis that has lost them`() async throws {
    let (one, two) = (try node("one"), try node("two"))
    try await ready(one)
    try await ready(two)
    try await one.order(true, of: stream, now: 5)
    try await one.order(true, of: other, now: 5)
    let client = try folder.client()
    try await client.send(RedisCommand("FLUSHALL"), deadline: .seconds(20))
    try await two.order(false, of: other, now: 6)
    #expect(try await one.order(of: stream, now: 6) == true)
    #expect(try await two.order(of: stream, now: 6) == true)
    // What was ordered since counts.
    #expect(try await one.order(of: other, now: 6) == false)
  }

  @Test func `hold where they were given while Redis is away, also for the next process`()
    async throws
  {
    let one = try node("one")
    try await ready(one)
    try await one.order(true, of: stream, now: 5)
    try folder.redis().kill()
    await #expect(throws: StoreError.self) { try await one.order(true, of: other, now: 5) }
    // Of another process, which has never reached it.
    let next = try node("one")
    #expect(try await next.order(of: stream, now: 5) == true)
    #expect(try await next.order(of: other, now: 5) == true)
    await #expect(throws: StoreError.self) {
      try await next.order(of: StreamNumbers.Name(wedding: "v", camera: "main"), now: 5)
    }
  }

  @Test func `hold where they were given while Redis can be read and not written`() async throws {
    let one = try node("one")
    try await ready(one)
    let client = try folder.client()
    try await client.send(
      RedisCommand("ACL", "SETUSER", "default", "-set"), deadline: .seconds(20))
    await #expect(throws: StoreError.self) { try await one.order(true, of: stream, now: 5) }
    // Also for the next process of that node, to which a publisher comes.
    #expect(try await node("one").order(of: stream, now: 5) == true)
    try await client.send(
      RedisCommand("ACL", "SETUSER", "default", "+set"), deadline: .seconds(20))
    #expect(try await one.order(of: stream, now: 5) == true)
    let two = try node("two")
    try await ready(two)
    #expect(try await two.order(of: stream, now: 5) == true)
  }
}
