import Access
import ControlAPI
import HTTPTypes
import Store
import Testing

extension `Control API` {
  @Test func `a service locks and unlocks a wedding`() async throws {
    let locks = Locks()
    let api = api(locks: locks)
    let service = try token(.service, wedding: nil)
    let locked = try await send(.post, "/api/streams/w1/lock", bearer: service, api: api)
    #expect(locked.status == 200)
    #expect(locked.object["locked"] as? Bool == true)
    #expect(locks.contains("w1"))
    let unlocked = try await send(.post, "/api/streams/w1/unlock", bearer: service, api: api)
    #expect(unlocked.object["locked"] as? Bool == false)
    #expect(!locks.contains("w1"))
  }

  @Test(arguments: ["playback", "cameras", "qualities"])
  func `who asks about a wedding is told whether it is locked`(call: String) async throws {
    let locks = Locks()
    let api = api(locks: locks)
    let path = "/api/streams/\(call)/w1"
    for isLocked in [false, true] {
      try await locks.change("w1", isLocked: isLocked)
      let answer = try await send(.get, path, api: api)
      #expect(answer.status == 200)
      #expect(answer.object["locked"] as? Bool == isLocked)
    }
  }

  @Test func `nobody else does`() async throws {
    let locks = Locks()
    let api = api(locks: locks)
    #expect(try await send(.post, "/api/streams/w1/lock", api: api).status == 401)
    let watch = try token(.watch)
    let answer = try await send(.post, "/api/streams/w1/lock", bearer: watch, api: api)
    #expect(answer.status == 403)
    #expect(!locks.contains("w1"))
  }

  @Test func `what can't be kept is said`() async throws {
    let api = api(locks: Locks(failing: .unreachable("Redis: not connected: 10.0.0.9 is away")))
    let service = try token(.service, wedding: nil)
    let answer = try await send(.post, "/api/streams/w1/lock", bearer: service, api: api)
    #expect(answer.status == 503)
    #expect(answer.errorCode == "not_kept")
    #expect(answer.text.contains("doesn't reach Redis"))
    #expect(!answer.text.contains("10.0.0.9"))
    let bad = try await send(.post, "/api/streams/.w/lock", bearer: service, api: api)
    #expect(bad.status == 400)
  }

  @Test(
    arguments: [
      (.unreachable("x"), "Redis"), (.full("x"), "room"), (.stalled(.seconds(5)), "in time"),
      (.failed("x"), "log"),
    ] as [(StoreError, String)])
  func `why a lock isn't kept is said, and what to do`(error: StoreError, word: String) async throws
  {
    let answer = try await send(
      .post, "/api/streams/w1/lock", bearer: token(.service, wedding: nil),
      api: api(locks: Locks(failing: error)))
    #expect(answer.text.contains(word))
  }
}
