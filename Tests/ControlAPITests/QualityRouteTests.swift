import Access
import ControlAPI
import HTTPTypes
import Testing

extension `Control API` {
  private func names(_ answer: Answer) -> [String] {
    (answer.object["qualities"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
  }

  @Test func `everybody learns the qualities of a public stream`() async throws {
    let answer = try await send(.get, "/api/streams/qualities/w1")
    #expect(answer.status == 200)
    #expect(names(answer) == ["720p", "360p"])
    let first = try #require((answer.object["qualities"] as? [[String: Any]])?.first)
    #expect(first["height"] as? Int == 720)
    #expect(first["codecs"] as? String == "avc1.64001F,mp4a.40.2")
    #expect(first["hls_playback_url"] as? String == "https://h/hls/w1/program/720p/index.m3u8")
    #expect(answer.fields[.accessControlAllowOrigin] == "*")
    #expect(try await send(.get, "/api/streams/qualities/w2").status == 404)
  }

  @Test(
    arguments: [
      ("free", ["360p"]), ("premium", ["720p", "360p"]), (nil, ["720p", "360p"]),
      ("gold", ["720p", "360p"]),
    ] as [(String?, [String])])
  func `a viewer learns those of the plan`(plan: String?, expected: [String]) async throws {
    let api = api(watchNeedsToken: true)
    let token = try token(.watch, plan: plan)
    let answer = try await send(.get, "/api/streams/qualities/w1?token=\(token)", api: api)
    #expect(names(answer) == expected)
  }

  @Test func `without a token nobody learns anything where one is needed`() async throws {
    let api = api(watchNeedsToken: true)
    #expect(try await send(.get, "/api/streams/qualities/w1", api: api).status == 401)
    #expect(try await send(.get, "/api/streams/qualities/w2", api: api).status == 401)
    let other = try token(.watch, wedding: "w2")
    let answer = try await send(.get, "/api/streams/qualities/w1?token=\(other)", api: api)
    #expect(answer.status == 403)
  }

  @Test func `a choice is remembered for the person, and can be taken back`() async throws {
    let choices = ViewerChoices()
    let api = api(watchNeedsToken: true, choices: choices)
    let path = "/api/streams/quality/select"
    let body = #"{"wedding_id": "w1", "quality": "360p"}"#
    let token = try token(.watch, subject: "ana")
    let answer = try await send(.post, path, body, bearer: token, api: api)
    #expect(answer.status == 200)
    #expect(choices.quality(for: "ana", of: "w1") == "360p")
    #expect(choices.quality(for: "ana", of: "w2") == nil)
    let later = try self.token(.watch, subject: "ana", expires: 60)
    let list = try await send(.get, "/api/streams/qualities/w1?token=\(later)", api: api)
    #expect(list.object["selected"] as? String == "360p")
    let auto = #"{"wedding_id": "w1", "quality": "auto"}"#
    #expect(try await send(.post, path, auto, bearer: token, api: api).status == 200)
    #expect(choices.quality(for: "ana", of: "w1") == nil)
  }

  @Test(arguments: [
    (#"{"wedding_id": "w1", "quality": "720p"}"#, 403, "not_in_plan"),
    (#"{"wedding_id": "w1", "quality": "4k"}"#, 404, "above_source"),
    (#"{"wedding_id": "w1", "quality": "8k"}"#, 404, "no_quality"),
    (#"{"wedding_id": "w1"}"#, 400, "missing_field"),
    (#"{"quality": "360p"}"#, 400, "missing_field"),
    (#"{"wedding_id": "w2", "quality": "360p"}"#, 403, "token_wedding"),
  ])
  func `what can't be chosen is refused`(body: String, status: Int, code: String) async throws {
    let api = api(watchNeedsToken: true)
    let token = try token(.watch, plan: "free", subject: "ana")
    let answer = try await send(
      .post, "/api/streams/quality/select", body, bearer: token, api: api)
    #expect(answer.status == status)
    #expect(answer.errorCode == code)
  }

  @Test func `somebody without a token can't choose`() async throws {
    let body = #"{"wedding_id": "w1", "quality": "360p"}"#
    #expect(try await send(.post, "/api/streams/quality/select", body).status == 401)
  }

  @Test func `choices are bounded, and those in use stay`() {
    let choices = ViewerChoices(limit: 100)
    for number in 0..<150 { choices.set("720p", for: "v\(number)", of: "w") }
    #expect(choices.quality(for: "v149", of: "w") == "720p")
    #expect(choices.quality(for: "v60", of: "w") == "720p")
    for number in 150..<1_000 { choices.set("720p", for: "v\(number)", of: "w") }
    #expect(choices.quality(for: "v60", of: "w") == nil)
    #expect(choices.quality(for: "v999", of: "w") == "720p")
  }
}
