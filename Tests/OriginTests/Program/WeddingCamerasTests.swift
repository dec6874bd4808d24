import TestSupport
import Access
import ControlAPI
import Logging
import Media
import Store
import Synchronization
import Testing

@testable import Origin

@Suite struct `Wedding cameras` {
  /// A store that can be told to fail.
  private actor Fragile: CameraStore {
    private let store = MemoryCameras()
    private var isBroken = false

    func set(isBroken: Bool) { self.isBroken = isBroken }

    private func check() throws(StoreError) { if isBroken { throw .full("no room") } }

    func book() async throws(StoreError) -> CameraBook { try await store.book() }

    func book(of wedding: String) async throws(StoreError) -> CameraBook {
      try await store.book(of: wedding)
    }

    func add(
      _ camera: CameraRecord, _ credential: CredentialRecord?
    ) async throws(StoreError) {
      try check()
      try await store.add(camera, credential)
    }

    func add(_ credential: CredentialRecord) async throws(StoreError) {
      try check()
      try await store.add(credential)
    }

    func remove(
      _ camera: String, of wedding: String, now: Int64
    ) async throws(StoreError) -> Bool {
      try check()
      return try await store.remove(camera, of: wedding, now: now)
    }

    func note(_ camera: String, of wedding: String, live time: Int64) async throws(StoreError) {
      try check()
      try await store.note(camera, of: wedding, live: time)
    }

    func choose(_ camera: String?, of wedding: String, now: Int64) async throws(StoreError) {
      try check()
      try await store.choose(camera, of: wedding, now: now)
    }

    func forgetCameras(
      before time: Int64, keeping open: Set<String>, now: Int64
    ) async throws(StoreError) -> Int {
      try await store.forgetCameras(before: time, keeping: open, now: now)
    }
  }

  private let store = Fragile()
  private let day: Int64 = 86_400

  private func cameras(rule: CameraReturn = .never) async throws -> WeddingCameras {
    let cameras = WeddingCameras(
      store: store, rule: rule, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      now: { 1_000_000 })
    try await cameras.load()
    return cameras
  }

  private func camera(
    _ id: String, _ wedding: String = "w", plan: String? = nil, key: UInt8? = 1
  ) -> NewCamera {
    NewCamera(
      wedding: wedding, id: id, name: id, plan: plan,
      key: key.map { CameraKey(digest: [$0], expires: 1_000 + day) })
  }

  private func refusal(
    _ cameras: WeddingCameras, _ camera: String, _ digest: UInt8
  ) -> String? {
    cameras.refusal(.named("w", camera)) { [digest] }
  }

  @Test func `a camera takes its own keys alone, one without keys all that are good`() async throws
  {
    let cameras = try await cameras()
    try await cameras.add(camera("a", key: 1))
    try await cameras.add(camera("b", key: nil))
    #expect(refusal(cameras, "a", 1) == nil)
    #expect(refusal(cameras, "a", 2)?.contains("none of this camera's") == true)
    #expect(refusal(cameras, "b", 2) == nil)
    #expect(refusal(cameras, "main", 2) == nil)
    #expect(refusal(cameras, "another", 2) == nil)
    #expect(refusal(cameras, "program", 2)?.contains("program") == true)
    #expect(refusal(cameras, "recordings", 2) != nil)
    try await cameras.add(CameraKey(digest: [2], expires: 5_000), to: "a", of: "w")
    #expect(refusal(cameras, "a", 2) == nil)
    // A camera that takes all keys isn't bound to one of them by it.
    try await cameras.add(CameraKey(digest: [3], expires: 5_000), to: "b", of: "w")
    #expect(refusal(cameras, "b", 2) == nil)
  }

  @Test func `a removed camera's keys stay refused, over a restart too`() async throws {
    let cameras = try await cameras()
    try await cameras.add(camera("a"))
    try await cameras.add(camera("b", key: 2))
    try await cameras.choose("b", of: "w")
    try await cameras.remove("a", of: "w")
    await #expect(throws: CameraError.unknown) { try await cameras.remove("a", of: "w") }
    for known in [cameras, try await self.cameras()] {
      #expect(refusal(known, "a", 1)?.contains("was removed") == true)
      #expect(refusal(known, "b", 2) == nil)
      #expect(refusal(known, "b", 1) != nil)
      #expect(known.chosen("w") == "b")
      #expect(known.hasProgram("w"))
      #expect(!known.hasProgram("v"))
      #expect(known.isMember(.named("w", "b")))
      #expect(!known.isMember(.named("w", "a")))
      #expect(known.isMember(.named("v")))
    }
  }

  @Test func `a plan says how many there may be, the main one among them`() async throws {
    let cameras = try await cameras()
    await #expect(throws: CameraError.tooMany(plan: "free", limit: 1)) {
      try await cameras.add(camera("a", plan: "free"))
    }
    // The one that a free wedding has can be given a name and a key.
    try await cameras.add(camera("main", plan: "free"))
    #expect(refusal(cameras, "main", 2) != nil)
    for number in 1...15 { try await cameras.add(camera("c\(number)", plan: "premium")) }
    await #expect(throws: CameraError.tooMany(plan: "premium", limit: 16)) {
      try await cameras.add(camera("c16"))
    }
    await #expect(throws: CameraError.exists) { try await cameras.add(camera("c1")) }
  }

  @Test func `what can't be kept has not happened`() async throws {
    let cameras = try await cameras()
    try await cameras.add(camera("a"))
    await store.set(isBroken: true)
    await #expect(throws: CameraError.notKept(.full("no room"))) {
      try await cameras.add(camera("b"))
    }
    await #expect(throws: CameraError.self) { try await cameras.remove("a", of: "w") }
    await #expect(throws: CameraError.self) { try await cameras.choose("a", of: "w") }
    #expect(cameras.cameras(of: "w").map(\.id) == ["a"])
    #expect(cameras.chosen("w") == nil)
    #expect(refusal(cameras, "a", 1) == nil)
    // What is noted in the background costs nobody anything.
    cameras.noteLive(.named("w", "a"))
    await cameras.settle()
    #expect(cameras.cameras(of: "w").first?.lastLive == 1_000_000)
  }

  @Test func `a camera that is never to be gone back to is forgotten as the choice`() async throws {
    let cameras = try await cameras(rule: .never)
    try await cameras.add(camera("a"))
    try await cameras.choose("a", of: "w")
    cameras.noteShown(.init(from: "a", to: "main", reason: .lost), of: "w")
    await cameras.settle()
    #expect(try await self.cameras().chosen("w") == "main")
    let returning = try await self.cameras(rule: .whenLive)
    returning.noteShown(.init(from: "main", to: "a", reason: .lost), of: "w")
    await returning.settle()
    #expect(returning.chosen("w") == "main")
  }
}
