import Records
import Redis
import RedisSupport
import Store
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct `Records of a cluster, when Redis fails` {
  let folder: Folder

  init() throws { folder = try Folder() }

  /// A client that soon knows that its server has gone.
  private func client() throws -> RedisClient {
    let server = try folder.redis()
    var configuration = try server.configuration()
    configuration.reconnectPatience = .milliseconds(50)
    configuration.longestPause = .milliseconds(100)
    return try server.client(configuration)
  }

  private func locks(_ name: String = "a.sqlite") throws -> ClusterWeddingLocks {
    ClusterWeddingLocks(
      RedisWeddingLocks(try client()), copy: SQLiteWeddingLocks(try folder.file(name)))
  }

  private func cameras(_ name: String = "a.sqlite") throws -> ClusterCameras {
    ClusterCameras(RedisCameras(try client()), copy: SQLiteCameras(try folder.file(name)))
  }

  private func keys(_ name: String = "a.sqlite") throws -> ClusterStreamKeys {
    ClusterStreamKeys(
      RedisStreamKeys(try client()), own: SQLiteStreamKeys(try folder.file(name)), logger: quiet)
  }

  /// Waits until the server answers this client again.
  private func answers(_ work: () async throws(StoreError) -> Void) async throws {
    while true {
      do {
        return try await work()
      } catch StoreError.unreachable {
        try await Task.sleep(for: .milliseconds(20))
      }
    }
  }

  private let camera = CameraRecord(
    wedding: "w", id: "a", name: "Altar", priority: 2, plan: "premium", created: 9, lastLive: 10)
  private let credential = CredentialRecord(
    wedding: "w", camera: "a", digest: [1, 2, 255, 0], created: 9, expires: 10)

  private func key(_ id: String) -> StreamKeyRecord {
    StreamKeyRecord(
      id: id, stream: .init(wedding: "w", camera: "main"), sealed: [1, 2], created: 9,
      neededUntil: 1_000)
  }

  @Test func `what one node writes another one reads`() async throws {
    try await locks("a.sqlite").lock("w", since: 5)
    #expect(try await locks("b.sqlite").locked() == ["w": 5])
    try await cameras("a.sqlite").add(camera, credential)
    #expect(try await cameras("b.sqlite").book().cameras == [camera])
    await #expect(throws: StoreError.self) { try await cameras("b.sqlite").add(camera, nil) }
    try await keys("a.sqlite").add(key("k"))
    #expect(try await keys("b.sqlite").key("k") == key("k"))
  }

  @Test func `a wedding stays locked while Redis is away, and nobody can change it`() async throws {
    let store = try locks()
    try await store.lock("w", since: 5)
    #expect(try await store.locked() == ["w": 5])
    try folder.redis().kill()
    #expect(try await store.locked() == ["w": 5])
    await #expect(throws: StoreError.self) { try await store.lock("v", since: 6) }
    await #expect(throws: StoreError.self) { try await store.unlock("w") }
    // A node that is started meanwhile knows it from its file.
    #expect(try await locks().locked() == ["w": 5])
  }

  @Test func `a Redis that has lost its data opens no wedding`() async throws {
    let store = try locks()
    let other = try locks("b.sqlite")
    try await store.lock("w", since: 5)
    try await store.lock("v", since: 6)
    for each in [store, other] { #expect(try await each.locked() == ["w": 5, "v": 6]) }
    try folder.redis().kill()
    try folder.redis().start()
    // One that has never known anything comes first.
    let new = try locks("c.sqlite")
    try await answers { () async throws(StoreError) in _ = try await new.locked() }
    try await answers { () async throws(StoreError) in try await new.lock("u", since: 7) }
    // Unlocked before a node that knows it as locked has told Redis so: that stays.
    try await new.unlock("v")
    let all: [String: Int64] = ["w": 5, "u": 7]
    while try await store.locked() != all { try await Task.sleep(for: .milliseconds(20)) }
    #expect(try await new.locked() == all)
    try await store.unlock("w")
    while try await other.locked() != ["u": 7] { try await Task.sleep(for: .milliseconds(20)) }
    #expect(try await new.locked() == ["u": 7])
    try await new.lock("v", since: 8)
    #expect(try await store.locked() == ["v": 8, "u": 7])
  }

  @Test func `cameras are known while Redis is away, and told to one that has lost them`()
    async throws
  {
    let store = try cameras()
    try await store.add(camera, credential)
    try await store.add(
      CameraRecord(wedding: "w", id: "b", name: "B", created: 11), nil)
    _ = try await store.remove("b", of: "w", now: 12)
    try await store.choose("a", of: "w", now: 13)
    let book = try await store.book()
    #expect(book.cameras == [camera])
    #expect(book.removed.map(\.id) == ["b"])
    try folder.redis().kill()
    #expect(try await store.book() == book)
    #expect(try await cameras().book() == book)
    await #expect(throws: StoreError.self) { try await store.add(camera, nil) }
    try folder.redis().start()
    let new = try cameras("b.sqlite")
    try await answers { () async throws(StoreError) in
      _ = try await new.remove("x", of: "w", now: 14)
    }
    while try await new.book() != book {
      _ = try await store.book()
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  @Test func `what was removed while a node knew otherwise stays removed`() async throws {
    let redis = RedisCameras(try client())
    try await redis.add(camera, credential)
    let store = try cameras()
    _ = try await store.book()
    // The life of the data ends, and the camera with it.
    _ = try folder.redis().ask("del", "wl:records")
    _ = try await redis.remove("a", of: "w", now: 20)
    let book = try await store.book()
    #expect(book.cameras.isEmpty)
    #expect(book.credentials.isEmpty)
    #expect(book.removed == [RemovedCamera(wedding: "w", id: "a", removed: 20)])
  }

  @Test func `a wedding that is read from a Redis without its data is as it was known`()
    async throws
  {
    let store = try cameras()
    try await store.add(camera, credential)
    try await store.add(CameraRecord(wedding: "w", id: "b", name: "B", created: 11), nil)
    _ = try await store.remove("b", of: "w", now: 12)
    let book = try await store.book()
    _ = try folder.redis().ask("flushall")
    #expect(try await store.book(of: "w") == book)
    #expect(try await store.book(of: "v") == CameraBook())
    #expect(try await RedisCameras(try client()).book() == book)
  }

  @Test(arguments: [false, true])
  func `a removed camera stays so where Redis loses that at once`(isOtherFirst: Bool) async throws {
    let told = Told()
    let store = ClusterCameras(
      RedisCameras(try client()), copy: SQLiteCameras(try folder.file("a.sqlite")))
    let other = ClusterCameras(
      RedisCameras(try client()), copy: SQLiteCameras(try folder.file("b.sqlite")),
      announce: { told.note($0) })
    try await store.add(camera, credential)
    for each in [store, other] { #expect(try await each.book().cameras == [camera]) }
    // Neither of them has read this.
    #expect(try await store.remove("a", of: "w", now: 20))
    _ = try folder.redis().ask("flushall")
    for each in isOtherFirst ? [other, store] : [store, other] { _ = try await each.book() }
    for each in [store, other] {
      let book = try await each.book()
      #expect(book.cameras.isEmpty && book.credentials.isEmpty)
      #expect(book.removed == [RemovedCamera(wedding: "w", id: "a", removed: 20)])
      #expect(book.programs.map(\.camera) == [nil])
    }
    // Others hear of what is put back, once.
    #expect(told.count == (isOtherFirst ? 1 : 0))
  }

  @Test func `a camera is removed in a Redis that has lost it`() async throws {
    let store = try cameras()
    let other = try cameras("b.sqlite")
    try await store.add(camera, credential)
    for each in [store, other] { #expect(try await each.book().cameras == [camera]) }
    _ = try folder.redis().ask("flushall")
    #expect(try await store.remove("a", of: "w", now: 20))
    for each in [other, store] {
      #expect(try await each.book().removed.map(\.id) == ["a"])
      #expect(try await each.book().cameras.isEmpty)
    }
  }

  @Test(arguments: [false, true])
  func `a camera that was added once more is no removed one`(isOtherFirst: Bool) async throws {
    let store = try cameras()
    let other = try cameras("b.sqlite")
    try await store.add(camera, credential)
    _ = try await store.remove("a", of: "w", now: 20)
    for each in [store, other] { #expect(try await each.book().removed.map(\.id) == ["a"]) }
    let again = CameraRecord(wedding: "w", id: "a", name: "Altar", created: 30)
    try await store.add(again, nil)
    _ = try folder.redis().ask("flushall")
    for each in isOtherFirst ? [other, store] : [store, other] { _ = try await each.book() }
    for each in [store, other] {
      #expect(try await each.book().cameras == [again])
      #expect(try await each.book().removed.isEmpty)
    }
  }

  @Test(arguments: Ending.all)
  func `the latest of what became of a camera counts, whoever tells of it first`(ending: Ending)
    async throws
  {
    let redis = RedisCameras(try client())
    for (number, order) in ending.told.orders.enumerated() {
      _ = try folder.redis().ask("flushall")
      for (node, told) in order.enumerated() {
        let copy = SQLiteCameras(try folder.file("\(number)-\(node).sqlite"))
        try await copy.copy(told.book, era: "before")
        _ = try await ClusterCameras(RedisCameras(try client()), copy: copy).book()
      }
      let book = try await redis.book()
      #expect(book.cameras == ending.left.book.cameras, "\(order)")
      #expect(book.credentials == ending.left.book.credentials, "\(order)")
      #expect(book.removed == ending.left.book.removed, "\(order)")
    }
  }

  @Test func `a key that was made where the clock is behind comes back`() async throws {
    let store = try cameras()
    try await store.add(camera, nil)
    var key = credential
    key.created = camera.created - 5
    try await store.add(key)
    _ = try await store.book()
    _ = try folder.redis().ask("flushall")
    #expect(try await store.book().credentials == [key])
  }

  @Test func `a wedding is not empty where another reading has put it back meanwhile`()
    async throws
  {
    let (store, relay) = try relayed()
    let other = try cameras()
    try await other.add(camera, credential)
    let book = try await store.book()
    _ = try folder.redis().ask("flushall")
    relay.after("HGETALL") { _ = try? await other.book() }
    #expect(try await store.book(of: "w") == book)
    #expect(!relay.isWaiting)
    #expect(try await SQLiteCameras(try folder.file("a.sqlite")).book() == book)
  }

  @Test func `a camera is removed where another reading has put it back meanwhile`() async throws {
    let (store, relay) = try relayed()
    let other = try cameras()
    try await other.add(camera, credential)
    _ = try await store.book()
    // From now on the server has the script.
    #expect(try await !store.remove("x", of: "w", now: 19))
    _ = try folder.redis().ask("flushall")
    relay.after("EVALSHA") { _ = try? await other.book() }
    #expect(try await store.remove("a", of: "w", now: 20))
    #expect(!relay.isWaiting)
    #expect(try await store.book().cameras.isEmpty)
  }

  /// One whose Redis is behind a relay.
  private func relayed() throws -> (ClusterCameras, RedisRelay) {
    let relay = try RedisRelay(to: try folder.redis())
    let client = try RedisClient(
      try folder.redis().configuration("redis://127.0.0.1:\(relay.port)/0"))
    let copy = SQLiteCameras(try folder.file("a.sqlite"))
    return (ClusterCameras(RedisCameras(client), copy: copy), relay)
  }

  @Test func `a Redis that has lost a camera takes no other one of its id`() async throws {
    let store = try cameras()
    try await store.add(camera, credential)
    let book = try await store.book()
    _ = try folder.redis().ask("flushall")
    let again = CameraRecord(wedding: "w", id: "a", name: "Again", created: 30)
    await #expect(throws: StoreError.self) { try await store.add(again, nil) }
    #expect(try await store.book() == book)
  }

  @Test func `a Redis that has lost a camera takes another key of it`() async throws {
    let store = try cameras()
    try await store.add(camera, credential)
    _ = try await store.book()
    _ = try folder.redis().ask("flushall")
    var key = credential
    key.digest = [9]
    try await store.add(key)
    #expect(try await store.book().credentials == [credential, key])
  }

  @Test func `cameras are added and removed where the copy can't be read`() async throws {
    let file = try folder.file("a.sqlite")
    let store = ClusterCameras(RedisCameras(try client()), copy: SQLiteCameras(file))
    try await file.close()
    try await store.add(camera, nil)
    try await store.add(credential)
    let redis = RedisCameras(try client())
    #expect(try await redis.book().credentials == [credential])
    #expect(try await store.remove("a", of: "w", now: 20))
    #expect(try await redis.book().removed.map(\.id) == ["a"])
  }

  @Test func `keys that Redis could not take are had, and sent later`() async throws {
    let store = try keys()
    let other = try keys("b.sqlite")
    try await store.add(key("before"))
    try folder.redis().kill()
    try await store.add(key("during"))
    for id in ["before", "during"] { #expect(try await store.key(id) == key(id)) }
    // Another node can't know whether there is such a key.
    await #expect(throws: StoreError.self) { try await other.key("during") }
    try await store.retire("during", neededUntil: 500)
    try folder.redis().start()
    try await answers { () async throws(StoreError) in
      try await store.sendAgain(all: true, now: 100)
    }
    try await answers { () async throws(StoreError) in _ = try await other.key("before") }
    #expect(try await other.key("before") == key("before"))
    #expect(try await other.key("during")?.neededUntil == 500)
  }

  @Test func `a key that nobody forgets is gone with time`() async throws {
    let store = RedisStreamKeys(try client())
    var record = key("k")
    record.neededUntil = record.created + 1_000
    try await store.add(record)
    let left = try #require(Int(try folder.redis().ask("pttl", "wl:key:k").trimmed))
    #expect((1...(2 * 86_400_000 + 1_000)).contains(left))
  }

  @Test func `what no node has written harms nobody`() async throws {
    let redis = try folder.redis()
    let store = try cameras()
    try await store.add(camera, credential)
    let book = try await store.book()
    for (field, value) in [
      ("order:x", "1"), ("key:zz", "1 2 3 a"), ("key:0102", "many"), ("nonsense", ""),
      ("live:a", "yes"),
    ] { _ = try redis.ask("hset", "wl:cameras:{w}", field, value) }
    var seen = try await store.book()
    #expect(seen.cameras.map(\.lastLive) == [nil])
    seen.cameras = book.cameras
    #expect(seen == book)
    _ = try redis.ask("hset", "wl:{locks}", "w", "soon")
    #expect(try await locks().locked() == ["w": 0])
  }
}

/// What several nodes know of one camera, and what is to come of it.
struct Ending: CustomTestStringConvertible {
  enum Known: CustomStringConvertible {
    /// With a key of a digest.
    case added(Int64, key: UInt8)
    case removed(Int64)

    var description: String {
      switch self {
      case .added(let time, let key): "added \(time) (\(key))"
      case .removed(let time): "removed \(time)"
      }
    }

    var book: CameraBook {
      var book = CameraBook()
      switch self {
      case .added(let time, let key):
        // The first one has what those after it lack.
        let plan = key == 1 ? "premium" : nil
        book.cameras = [
          CameraRecord(
            wedding: "w", id: "a", name: "Camera \(key)", priority: Int(key), plan: plan,
            created: time, lastLive: plan.map { _ in time })
        ]
        book.credentials = [
          CredentialRecord(
            wedding: "w", camera: "a", digest: [key], created: time, expires: 10_000)
        ]
      case .removed(let time):
        book.removed = [RemovedCamera(wedding: "w", id: "a", removed: time)]
      }
      return book
    }
  }

  let told: [Known]
  let left: Known

  var testDescription: String { "\(told)" }

  static let all = [
    Ending(told: [.removed(100), .removed(300), .added(200, key: 1)], left: .removed(300)),
    Ending(
      told: [.added(100, key: 1), .added(300, key: 2), .removed(200)], left: .added(300, key: 2)),
    Ending(told: [.added(100, key: 1), .added(300, key: 2)], left: .added(300, key: 2)),
    Ending(
      told: [.added(100, key: 1), .removed(200), .added(300, key: 2), .removed(400)],
      left: .removed(400)),
  ]
}

extension Array {
  /// All orders that they can stand in.
  fileprivate var orders: [[Element]] {
    guard count > 1 else { return [self] }
    return indices.flatMap { index in
      var rest = self
      let first = rest.remove(at: index)
      return rest.orders.map { [first] + $0 }
    }
  }
}

extension String {
  fileprivate var trimmed: String { filter { !$0.isWhitespace } }
}

/// How often a change was told of.
private final class Told: Sendable {
  private let weddings = Mutex<[String]>([])

  var count: Int { weddings.withLock { $0.count } }

  func note(_ wedding: String) { weddings.withLock { $0.append(wedding) } }
}
