import Access
import ControlAPI
import HTTPServer
import HTTPTypes
import Testing

/// What a browser asks before a page of another site may send a token or JSON.
extension `Control API` {
  private func preflight(
    _ path: String, for method: HTTPRequest.Method? = nil
  ) async throws -> APIResponse {
    var request = HTTPRequest(method: .options, scheme: "https", authority: "h", path: path)
    request.headerFields[.origin] = "https://a.example"
    request.headerFields[.accessControlRequestMethod] = method?.rawValue
    return await api(watchNeedsToken: true).handle(APIRequest(request: request))
  }

  @Test(
    arguments: [
      ("/api/streams/playback/w1", .get, "GET, HEAD"),
      ("/api/streams/playback/lock", .get, "GET, HEAD"),
      ("/api/streams/qualities/w1?camera_id=main", .get, "GET, HEAD"),
      ("/api/streams/qualities/w1", nil, "GET, HEAD"),
      ("/api/streams/quality/select", .post, "POST"),
      ("/api/streams/keys/w1/k1.key", .get, "GET, HEAD"),
      ("/api/streams/keys/w1/k1.key", .head, "GET, HEAD"),
    ] as [(String, HTTPRequest.Method?, String)])
  func `a page of another site may ask as a viewer does`(
    path: String, method: HTTPRequest.Method?, allowed: String
  ) async throws {
    let answer = try await preflight(path, for: method)
    #expect(answer.response.status == .noContent)
    #expect(answer.body.isEmpty)
    let fields = answer.response.headerFields
    #expect(fields[.contentType] == nil)
    #expect(fields[.accessControlAllowOrigin] == "*")
    #expect(fields[.accessControlAllowMethods] == allowed)
    #expect(fields[.accessControlAllowHeaders] == "authorization, content-type")
    #expect(fields[.accessControlMaxAge] == "86400")
    #expect(fields[.accessControlAllowCredentials] == nil)
  }

  @Test(
    arguments: [
      ("/api/streams/credentials/generate", .post, 405), ("/api/streams/auth/publish", .post, 405),
      ("/api/streams/auth/publish_done", .post, 405), ("/api/streams/w1/lock", .post, 405),
      ("/api/streams/w1/unlock", .post, 405), ("/api/streams/playback/lock", .post, 405),
      ("/api/streams/keys/rotate/w1", .post, 405), ("/api/streams/quality/select", .get, 405),
      ("/api/streams/qualities/w1", .delete, 405), ("/api/nothing", .get, 404),
    ] as [(String, HTTPRequest.Method, Int)])
  func `it may not ask as a service does`(
    path: String, method: HTTPRequest.Method, status: Int
  ) async throws {
    let answer = try await preflight(path, for: method)
    #expect(answer.response.status.code == status)
    #expect(answer.response.headerFields[.accessControlAllowOrigin] == nil)
    #expect(answer.response.headerFields[.accessControlAllowMethods] == nil)
  }

  @Test func `a page of another site can read why it doesn't learn where to watch`() async throws {
    let api = api(watchNeedsToken: true)
    let refused = try await send(.get, "/api/streams/playback/w1", api: api)
    #expect(refused.status == 401)
    #expect(refused.fields[.accessControlAllowOrigin] == "*")
    let service = try token(.service, wedding: nil)
    let answer = try await send(.get, "/api/streams/playback/w1", bearer: service, api: api)
    #expect(answer.status == 200)
    #expect(answer.fields[.accessControlAllowOrigin] == nil)
  }
}

@Suite struct `Names in addresses of the API` {
  @Test(arguments: [
    ("/api/streams/keys/w1/12", ["w1", "12"]), ("/api/streams/keys/rotate/w1", ["rotate", "w1"]),
    ("/api/streams/lock/lock", ["lock"]), ("/api/streams/cameras/add", ["add"]),
    ("/api/streams/camera/add", []), ("/api/streams/camera/one", ["one"]),
    ("/api/streams/playback/w1", ["w1"]),
    ("/api/streams/recording/start", []), ("/api/streams/auth/publish", []),
    ("/api/streams/keys/w1", []), ("/api/streams/unknown/w1/x", []), ("/hls/w1/index.m3u8", []),
    ("", []), ("/", []), ("/api/streams/qualities/", [""]),
  ]) func `are what stands in the places of names`(_ path: String, names: [String]) {
    #expect(ControlAPI.names(inPath: path) == names)
  }
}
