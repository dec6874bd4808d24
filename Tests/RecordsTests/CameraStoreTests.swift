import Store
import Testing

@Suite(.timeLimit(.minutes(2))) struct `Cameras, in every store` {
  let folder: Folder

  init() throws { folder = try Folder() }

  private func camera(
    _ id: String, _ wedding: String = "w", priority: Int = 0, plan: String? = nil
  ) -> CameraRecord {
    CameraRecord(
      wedding: wedding, id: id, name: "Camera \(id) – Küche", priority: priority, plan: plan,
      created: 5)
  }

  private func credential(
    _ camera: String, _ wedding: String = "w", _ byte: UInt8 = 1, expires: Int64 = 1_000
  ) -> CredentialRecord {
    CredentialRecord(
      wedding: wedding, camera: camera, digest: Array(repeating: byte, count: 32), created: 5,
      expires: expires)
  }

  @Test(arguments: Kind.allCases)
  func `what is added is found again, whole and in order`(kind: Kind) async throws {
    let store = try kind.cameras(folder)
    #expect(try await store.book() == CameraBook())
    try await store.add(camera("b", priority: -3), credential("b", "w", 2))
    try await store.add(camera("a", plan: "premium"), nil)
    try await store.add(camera("a", "v"), credential("a", "v", 3))
    let book = try await store.book()
    #expect(
      book.cameras == [camera("b", priority: -3), camera("a", plan: "premium"), camera("a", "v")])
    #expect(book.credentials == [credential("b", "w", 2), credential("a", "v", 3)])
    #expect(book.programs.map(\.wedding) == ["w", "v"])
    #expect(book.programs.allSatisfy { $0.camera == nil })
    let one = try await store.book(of: "v")
    #expect(one.cameras == [camera("a", "v")])
    #expect(one.credentials == [credential("a", "v", 3)])
    #expect(one.programs.map(\.wedding) == ["v"])
    #expect(try await store.book(of: "nobody's") == CameraBook())
  }

  @Test(arguments: Kind.allCases)
  func `a wedding has an id once, and nothing is added by halves`(kind: Kind) async throws {
    let store = try kind.cameras(folder)
    try await store.add(camera("a"), credential("a"))
    let before = try await store.book()
    await #expect(throws: StoreError.self) {
      try await store.add(camera("a", priority: 9), credential("a", "w", 9))
    }
    await #expect(throws: StoreError.self) { try await store.add(credential("nobody's", "w", 9)) }
    #expect(try await store.book() == before)
  }

  @Test(arguments: Kind.allCases)
  func `a camera can have several keys`(kind: Kind) async throws {
    let store = try kind.cameras(folder)
    try await store.add(camera("a"), credential("a"))
    try await store.add(credential("a", "w", 2))
    try await store.add(credential("a", "w", 2))
    #expect(try await store.book().credentials.map { $0.digest[0] } == [1, 2])
  }

  @Test(arguments: Kind.allCases)
  func `a removed camera takes its keys along and is remembered`(kind: Kind) async throws {
    let store = try kind.cameras(folder)
    try await store.add(camera("a"), credential("a"))
    try await store.add(camera("b"), credential("b", "w", 2))
    try await store.choose("a", of: "w", now: 6)
    #expect(try await store.remove("a", of: "w", now: 7))
    #expect(try await !store.remove("a", of: "w", now: 8))
    #expect(try await !store.remove("b", of: "other", now: 8))
    var book = try await store.book()
    #expect(book.cameras.map(\.id) == ["b"])
    #expect(book.credentials.map(\.camera) == ["b"])
    #expect(book.removed == [RemovedCamera(wedding: "w", id: "a", removed: 7)])
    #expect(book.programs == [ProgramRecord(wedding: "w", camera: nil, updated: 7)])
    // Added again it is a new one.
    try await store.add(camera("a"), credential("a", "w", 9))
    book = try await store.book()
    #expect(book.removed.isEmpty)
    #expect(book.credentials.map { $0.digest[0] } == [2, 9])
  }

  @Test(arguments: Kind.allCases)
  func `the choice and the last time live are kept`(kind: Kind) async throws {
    let store = try kind.cameras(folder)
    try await store.add(camera("a"), nil)
    try await store.choose("main", of: "w", now: 6)
    try await store.choose("a", of: "w", now: 7)
    try await store.note("a", of: "w", live: 70)
    try await store.note("nobody", of: "w", live: 71)
    let book = try await store.book()
    #expect(book.programs == [ProgramRecord(wedding: "w", camera: "a", updated: 7)])
    #expect(book.cameras.map(\.lastLive) == [70])
  }

  @Test(arguments: Kind.allCases)
  func `what nobody needs is forgotten, and nothing else`(kind: Kind) async throws {
    let store = try kind.cameras(folder)
    try await store.add(camera("a"), credential("a", expires: 99))
    try await store.add(credential("a", "w", 2, expires: 200))
    for wedding in ["over", "live"] {
      try await store.add(camera("x", wedding), nil)
      _ = try await store.remove("x", of: wedding, now: 50)
    }
    // One key, two cameras that are gone, one program.
    #expect(try await store.forgetCameras(before: 60, keeping: ["live"], now: 100) == 4)
    let book = try await store.book()
    #expect(book.credentials.map { $0.digest[0] } == [2])
    #expect(book.removed.isEmpty)
    #expect(book.programs.map(\.wedding).sorted() == ["live", "w"])
    #expect(try await store.forgetCameras(before: 60, keeping: [], now: 100) == 1)
    #expect(try await store.book().programs.map(\.wedding) == ["w"])
  }
}

@Suite struct `Cameras on disk` {
  @Test func `a reopened file has them`() async throws {
    let folder = try Folder()
    let camera = CameraRecord(
      wedding: "w", id: "a", name: "Altar", priority: 2, plan: "premium", created: 9, lastLive: 10)
    let key = CredentialRecord(
      wedding: "w", camera: "a", digest: [1, 2, 255, 0], created: 9, expires: 10)
    let store = SQLiteCameras(try folder.file("a.sqlite"))
    try await store.add(camera, key)
    try await store.choose("a", of: "w", now: 11)
    let book = try await store.book()
    let again = SQLiteCameras(try folder.file("a.sqlite"))
    #expect(try await again.book() == book)
    #expect(book.cameras == [camera])
    #expect(book.credentials == [key])
  }
}
