import Store
import Testing

@Suite(.timeLimit(.minutes(2))) struct `Stream keys, in every store` {
  let folder: Folder

  init() throws { folder = try Folder() }

  private func key(
    _ id: String, _ wedding: String = "w", camera: String = "main", created: Int64 = 1,
    neededUntil: Int64 = 1_000
  ) -> StreamKeyRecord {
    StreamKeyRecord(
      id: id, stream: .init(wedding: wedding, camera: camera), sealed: Array(id.utf8) + [0, 255],
      created: created, neededUntil: neededUntil)
  }

  @Test(arguments: Kind.allCases)
  func `a key is found by its name, whole`(kind: Kind) async throws {
    let store = try kind.keys(folder)
    #expect(try await store.key("a") == nil)
    try await store.add(key("a"))
    #expect(try await store.key("a") == key("a"))
    #expect(try await store.key("A") == nil)
  }

  @Test(arguments: Kind.allCases)
  func `a name is never used twice`(kind: Kind) async throws {
    let store = try kind.keys(folder)
    try await store.add(key("a"))
    await #expect(throws: StoreError.self) { try await store.add(key("a", "other")) }
    #expect(try await store.key("a")?.stream.wedding == "w")
  }

  @Test(arguments: Kind.allCases)
  func `who adds a key again, as no answer came, changes nothing`(kind: Kind) async throws {
    let store = try kind.keys(folder)
    try await store.add(key("a"))
    try await store.retire("a", neededUntil: 70)
    try await store.add(key("a"))
    var other = key("a")
    other.sealed[0] ^= 1
    await #expect(throws: StoreError.self) { try await store.add(other) }
    #expect(try await store.key("a")?.neededUntil == 70)
    #expect(try await store.key("a")?.sealed == key("a").sealed)
    #expect(try await store.keys(ofWedding: "w").count == 1)
  }

  @Test(arguments: Kind.allCases)
  func `a wedding's keys come oldest first, of all of its cameras`(kind: Kind) async throws {
    let store = try kind.keys(folder)
    for (id, camera, created) in [("b", "main", 2), ("c", "2", 3), ("a", "main", 1)] {
      try await store.add(key(id, camera: camera, created: Int64(created)))
    }
    try await store.add(key("x", "other"))
    #expect(try await store.keys(ofWedding: "w").map(\.id) == ["a", "b", "c"])
    #expect(try await store.keys(ofWedding: "none").isEmpty)
  }

  @Test(arguments: Kind.allCases)
  func `a key is kept until nobody needs it`(kind: Kind) async throws {
    let store = try kind.keys(folder)
    for id in ["lost", "old", "longer"] { try await store.add(key(id)) }
    try await store.retire("old", neededUntil: 100)
    try await store.retire("longer", neededUntil: 5_000)
    try await store.retire("nobody's", neededUntil: 1)
    #expect(try await store.key("longer")?.neededUntil == 5_000)
    #expect(try await store.forgetKeys(now: 100) == 0)
    #expect(try await store.forgetKeys(now: 101) == 1)
    #expect(try await store.keys(ofWedding: "w").map(\.id) == ["lost", "longer"])
    #expect(try await store.forgetKeys(now: 1_001) == 1)
    #expect(try await store.keys(ofWedding: "w").map(\.id) == ["longer"])
  }
}

@Suite struct `Stream keys on disk` {
  @Test func `a reopened file has them`() async throws {
    let folder = try Folder()
    let key = StreamKeyRecord(
      id: "k", stream: .init(wedding: "w", camera: "main"), sealed: [1, 2, 3], created: 9,
      neededUntil: 10)
    try await SQLiteStreamKeys(try folder.file("a.sqlite")).add(key)
    let again = SQLiteStreamKeys(try folder.file("a.sqlite"))
    #expect(try await again.key("k") == key)
  }
}
