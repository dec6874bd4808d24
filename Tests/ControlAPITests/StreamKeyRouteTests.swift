import Access
import EventLoop
import HTTPServer
import HTTPTypes
import Logging
import Telemetry
import Testing

@testable import ControlAPI

@Suite struct `Control API, stream keys` {
  private struct Keys: StreamKeyDirectory {
    func key(_ id: String, ofWedding wedding: String) async throws -> GivenStreamKey? {
      if id == "lost" { throw KeyError.noKeys }
      guard id == "k1", wedding == "w1" else { return nil }
      return GivenStreamKey(camera: "main", bytes: Array(0..<16))
    }
    func rotate(wedding: String) async -> Int { wedding == "w1" ? 2 : 0 }
    enum KeyError: Error { case noKeys }
  }

  private let issuer: TokenIssuer
  private let verifier: TokenVerifier
  private let metrics = MetricRegistry()
  private static let now: Int64 = 1_795_818_841

  init() async throws {
    let secret = Array("a secret of enough bytes, really".utf8)
    issuer = try await TokenIssuer(secret: secret)
    verifier = TokenVerifier(keys: try await .secret(secret))
  }

  private func api(watchNeedsToken: Bool = true, keys: Keys? = Keys()) -> ControlAPI {
    ControlAPI(
      .init(
        addresses: { _ in
          PublicAddresses(rtmp: "rtmp://h/live", rtmps: nil, web: "https://h")
        },
        verifier: verifier, issuer: issuer, watchNeedsToken: watchNeedsToken,
        directory: Nobody(), keys: keys, locks: Locks(), cameras: SomeCameras(), metrics: metrics,
        log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: { Self.now }))
  }

  private struct Nobody: StreamDirectory {
    func stream(wedding: String, camera: String) async -> StreamInfo? { nil }
  }

  private func token(
    _ scope: Scope, _ wedding: String?, camera: String? = nil, expires: Int64 = 60
  ) throws -> String {
    try issuer.token(
      Claims(scope: scope, wedding: wedding, camera: camera, expires: Self.now + expires),
      issued: Self.now)
  }

  private func ask(
    _ path: String, _ method: HTTPRequest.Method = .get, bearer: String? = nil,
    from host: String = "192.0.2.1", api: ControlAPI? = nil
  ) async throws -> APIResponse {
    var request = HTTPRequest(method: method, scheme: "https", authority: "h", path: path)
    request.headerFields[.authorization] = bearer.map { "Bearer \($0)" }
    let client = try #require(SocketAddress(host: host, port: 9))
    return await (api ?? self.api()).handle(APIRequest(request: request, client: client))
  }

  private let path = "/api/streams/keys/w1/k1.key"

  @Test func `a viewer of the wedding gets sixteen bytes that no cache keeps`() async throws {
    let viewer = try token(.watch, "w1")
    for answer in [
      try await ask(path, bearer: viewer), try await ask(path + "?token=\(viewer)"),
    ] {
      #expect(answer.response.status == .ok)
      #expect(answer.body == Array(0..<16))
      #expect(answer.response.headerFields[.contentType] == "application/octet-stream")
      #expect(answer.response.headerFields[.cacheControl] == "private, no-store")
      #expect(answer.response.headerFields[.accessControlAllowOrigin] == "*")
    }
  }

  @Test func `nobody else gets one`() async throws {
    for (bearer, status) in [
      (nil, 401), ("nonsense", 401), (try token(.watch, "w1", expires: -600), 401),
      (try token(.watch, "w2"), 403), (try token(.publish, "w1"), 403),
    ] as [(String?, Int)] {
      let answer = try await ask(path, bearer: bearer)
      #expect(answer.response.status.code == status)
      #expect(answer.body != Array(0..<16))
    }
    let text = String(decoding: metrics.text(), as: UTF8.self)
    #expect(text.contains("wedlive_stream_keys_total{outcome=\"token_missing\"} 1"))
  }

  @Test func `a token for one camera has that camera's keys alone`() async throws {
    let own = try token(.watch, "w1", camera: "main")
    #expect(try await ask(path, bearer: own).response.status == .ok)
    let other = try token(.watch, "w1", camera: "cam2")
    let answer = try await ask(path, bearer: other)
    #expect(answer.response.status.code == 403)
    #expect(String(decoding: answer.body, as: UTF8.self).contains(#""token_camera""#))
    let none = try await ask("/api/streams/keys/w1/k2.key", bearer: other)
    #expect(none.response.status == .notFound)
    let api = api()
    #expect(try await statuses(200, bearer: other, api) == [403: 100, 429: 100])
    #expect(try await statuses(1, bearer: own, api) == [200: 1])
  }

  @Test func `where everybody may watch, everybody may have the key`() async throws {
    #expect(try await ask(path, api: api(watchNeedsToken: false)).response.status == .ok)
  }

  @Test(arguments: ["k2.key", "k1", "k1.key.key", ".key", "..key", "K1.key"])
  func `what is no key is not found`(file: String) async throws {
    let viewer = try token(.watch, "w1")
    let answer = try await ask("/api/streams/keys/w1/\(file)", bearer: viewer)
    #expect(answer.response.status == .notFound)
  }

  @Test func `a store that can't answer is a reason to ask again`() async throws {
    let viewer = try token(.watch, "w1")
    let answer = try await ask("/api/streams/keys/w1/lost.key", bearer: viewer)
    #expect(answer.response.status.code == 503)
  }

  private func statuses(
    _ count: Int, bearer: String?, from host: String = "192.0.2.1", _ api: ControlAPI
  ) async throws -> [Int: Int] {
    var seen: [Int: Int] = [:]
    for _ in 0..<count {
      let answer = try await ask(path, bearer: bearer, from: host, api: api)
      seen[answer.response.status.code, default: 0] += 1
      #expect(answer.response.headerFields[.accessControlAllowOrigin] == "*")
      let wait = answer.response.headerFields[.retryAfter].flatMap(Int.init)
      #expect((wait != nil) == (answer.response.status.code == 429))
    }
    return seen
  }

  @Test func `a hall of guests with one link gets its keys, and a flood does not`() async throws {
    let api = api()
    let shared = try token(.watch, "w1")
    #expect(try await statuses(2_100, bearer: shared, api) == [200: 2_000, 429: 100])
    let other = try token(.watch, "w1", expires: 61)
    #expect(try await statuses(1, bearer: other, api) == [200: 1])
    #expect(try await statuses(1, bearer: shared, from: "192.0.2.2", api) == [200: 1])
  }

  @Test func `who has no right to a key locks out nobody who has`() async throws {
    let api = api()
    let wrong = try token(.watch, "w2")
    #expect(try await statuses(1_000, bearer: wrong, api) == [403: 100, 429: 900])
    #expect(try await statuses(1, bearer: try token(.watch, "w1"), api) == [200: 1])
    let text = String(decoding: metrics.text(), as: UTF8.self)
    #expect(text.contains("wedlive_stream_keys_total{outcome=\"too_many_keys\"} 900"))
  }

  @Test func `a service rotates the keys of what is live`() async throws {
    let service = try token(.service, nil)
    let rotate = "/api/streams/keys/rotate/"
    let answer = try await ask(rotate + "w1", .post, bearer: service)
    #expect(answer.response.status == .ok)
    #expect(String(decoding: answer.body, as: UTF8.self) == #"{"streams":2,"wedding_id":"w1"}"#)
    #expect(try await ask(rotate + "w2", .post, bearer: service).response.status == .notFound)
    let viewer = try token(.watch, "w1")
    #expect(try await ask(rotate + "w1", .post, bearer: viewer).response.status.code == 403)
    let plain = api(keys: nil)
    #expect(
      try await ask(rotate + "w1", .post, bearer: service, api: plain).response.status.code == 409)
  }
}
