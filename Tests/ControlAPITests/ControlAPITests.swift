import Access
import ControlAPI
import Foundation
import HTTPServer
import HTTPTypes
import Logging
import Store
import Synchronization
import Telemetry
import Testing

private struct OneStream: StreamDirectory {
  func stream(wedding: String, camera: String) async -> StreamInfo? {
    guard wedding == "w1", camera == "main" || camera == "program" else { return nil }
    func quality(_ name: String, _ height: Int, _ plans: [String]) -> StreamQuality {
      StreamQuality(
        name: name, width: height * 16 / 9, height: height, frameRate: 30,
        bandwidth: height * 4_000,
        averageBandwidth: height * 3_000,
        codecs: ["avc1.64001F", "mp4a.40.2"], isOpen: true, plans: plans)
    }
    return StreamInfo(
      state: .live, started: 5, viewers: 3,
      qualities: [quality("720p", 720, ["premium"]), quality("360p", 360, ["free", "premium"])])
  }
}

/// Locks of a node whose store can fail.
final class Locks: WeddingLockDirectory {
  let weddings = Mutex<Set<String>>([])
  let failure: StoreError?

  init(failing failure: StoreError? = nil) { self.failure = failure }

  func contains(_ wedding: String) -> Bool { weddings.withLock { $0.contains(wedding) } }

  func change(_ wedding: String, isLocked: Bool) async throws {
    if let failure { throw failure }
    weddings.withLock { weddings in
      if isLocked { weddings.insert(wedding) } else { weddings.remove(wedding) }
    }
  }
}

@Suite struct `Control API` {
  static let now: Int64 = 1_795_818_841
  let issuer: TokenIssuer
  let verifier: TokenVerifier
  let metrics = MetricRegistry()

  init() async throws {
    let secret = Array("a secret of enough bytes, really".utf8)
    issuer = try await TokenIssuer(secret: secret)
    verifier = TokenVerifier(keys: try await .secret(secret))
  }

  func api(
    watchNeedsToken: Bool = false, canIssue: Bool = true, keys: (any StreamKeyDirectory)? = nil,
    locks: any WeddingLockDirectory = Locks(), cameras: any CameraDirectory = SomeCameras(),
    recordings: (any RecordingDirectory)? = nil, purges: (any PurgeDirectory)? = nil,
    choices: ViewerChoices = ViewerChoices()
  ) -> ControlAPI {
    ControlAPI(
      .init(
        addresses: { _ in
          PublicAddresses(
            rtmp: "rtmp://h:1935/live", rtmps: "rtmps://h:1936/live", web: "https://h")
        },
        verifier: verifier, issuer: canIssue ? issuer : nil, watchNeedsToken: watchNeedsToken,
        directory: OneStream(), keys: keys, locks: locks, cameras: cameras,
        recordings: recordings, purges: purges,
        rungs: [LadderQuality(name: "4k", width: 3840, height: 2160)],
        choices: choices, metrics: metrics,
        log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: { Self.now }))
  }

  func token(
    _ scope: Scope, wedding: String? = "w1", camera: String? = nil, plan: String? = nil,
    subject: String? = nil, expires: Int64 = 3600
  ) throws -> String {
    try issuer.token(
      Claims(
        scope: scope, wedding: wedding, camera: camera, plan: plan, subject: subject,
        expires: Self.now + expires), issued: Self.now)
  }

  struct Answer {
    let status: Int
    let fields: HTTPFields
    let text: String
    let object: [String: Any]

    var errorCode: String? { (object["error"] as? [String: String])?["code"] }
    var errorMessage: String? { (object["error"] as? [String: String])?["message"] }
    var stream: [String: String]? { object["nginx_stream"] as? [String: String] }
  }

  func send(
    _ method: HTTPRequest.Method, _ path: String, _ body: String = "",
    type: String? = "application/json", bearer: String? = nil, cookie: String? = nil,
    api: ControlAPI? = nil
  ) async throws -> Answer {
    var request = HTTPRequest(method: method, scheme: "https", authority: "h", path: path)
    request.headerFields[.contentType] = type
    request.headerFields[.authorization] = bearer.map { "Bearer \($0)" }
    request.headerFields[.cookie] = cookie
    let api = api ?? self.api()
    let answer = await api.handle(APIRequest(request: request, body: Array(body.utf8)))
    #expect(answer.response.headerFields[.contentType] == "application/json")
    #expect(answer.response.headerFields[.cacheControl] == "no-store")
    let object = try JSONSerialization.jsonObject(with: Data(answer.body))
    return Answer(
      status: answer.response.status.code, fields: answer.response.headerFields,
      text: String(decoding: answer.body, as: UTF8.self),
      object: try #require(object as? [String: Any]))
  }

  let generate = "/api/streams/credentials/generate"
  let publish = "/api/streams/auth/publish"
  let publishDone = "/api/streams/auth/publish_done"

  @Test func `credentials have the plan's fields, and their key publishes that camera`()
    async throws
  {
    let cameras = SomeCameras()
    try await cameras.add(NewCamera(wedding: "w9", id: "two", name: "Two"))
    let answer = try await send(
      .post, generate,
      #"{"wedding_id":"w9","camera_id":"two","plan":"premium","user_id":7,"expires_in":600}"#,
      bearer: try token(.service, wedding: nil), api: api(cameras: cameras))
    #expect(answer.status == 200)
    let stream = try #require(answer.stream)
    #expect(Set(stream.keys) == ["stream_key", "rtmp_url", "hls_playback_url", "stream_id"])
    #expect(stream["rtmp_url"] == "rtmp://h:1935/live")
    #expect(stream["hls_playback_url"] == "https://h/hls/w9/two/index.m3u8")
    #expect(stream["stream_id"] == "w9/two")
    #expect(answer.object["rtmps_url"] as? String == "rtmps://h:1936/live")
    #expect(answer.object["expires_at"] as? Int64 == Self.now + 600)
    let key = Array(try #require(stream["stream_key"]).utf8)
    let claims = try verifier.verify(
      key, for: .publish(wedding: "w9", camera: "two"), now: Self.now)
    #expect(claims.plan == "premium" && claims.subject == "7")
    #expect(claims.expires == Self.now + 600)
  }

  @Test func `the main camera plays at the program's address`() async throws {
    let answer = try await send(
      .post, generate, #"{"wedding_id":"w9"}"#, bearer: try token(.service, wedding: nil))
    #expect(answer.stream?["hls_playback_url"] == "https://h/hls/w9/index.m3u8")
    #expect(answer.object["expires_at"] as? Int64 == Self.now + 86_400)
  }

  @Test(arguments: [
    ("{}", "missing_field"), (#"{"wedding_id":""}"#, "missing_field"),
    (#"{"wedding_id":"../x"}"#, "bad_name"), (#"{"wedding_id":"a b"}"#, "bad_name"),
    (#"{"wedding_id":"a","camera_id":"x/y"}"#, "bad_name"),
    (#"{"wedding_id":"a","expires_in":59}"#, "bad_field"),
    (#"{"wedding_id":"a","expires_in":"soon"}"#, "bad_field"),
    (#"{"wedding_id":"a","priority":1.5}"#, "bad_field"), ("[]", "bad_json"), ("{", "bad_json"),
    (#"{"wedding_id":["a"]}"#, "missing_field"), (#"{"wedding_id":null}"#, "missing_field"),
  ])
  func `a bad body is told what is wrong`(body: String, code: String) async throws {
    let answer = try await send(.post, generate, body, bearer: try token(.service, wedding: nil))
    #expect(answer.status == 400)
    #expect(answer.errorCode == code)
  }

  @Test func `a plan that there is not is refused, with the names of those there are`() async throws
  {
    for path in [generate, "/api/streams/camera/add"] {
      let answer = try await send(
        .post, path, #"{"wedding_id":"w9","camera_name":"a","plan":"gold"}"#,
        bearer: try token(.service, wedding: nil))
      #expect(answer.status == 400)
      #expect(answer.errorCode == "unknown_plan")
      #expect(answer.text.contains("free, premium"))
    }
  }

  @Test func `a camera that there is not is refused, with the names of those there are`()
    async throws
  {
    let cameras = SomeCameras()
    let body = #"{"wedding_id":"w9","camera_id":"alter"}"#
    func ask(_ cameras: SomeCameras) async throws -> Answer {
      try await send(
        .post, generate, body, bearer: try token(.service, wedding: nil), api: api(cameras: cameras)
      )
    }
    for known in [["main"], ["main", "altar", "drone"]] {
      for id in known.dropFirst() {
        try await cameras.add(NewCamera(wedding: "w9", id: id, name: id))
      }
      let answer = try await ask(cameras)
      #expect(answer.status == 404)
      #expect(answer.errorCode == "no_camera")
      #expect(answer.text.contains(known.joined(separator: ", ")), "\(answer.text)")
    }
    #expect(cameras.known.withLock { $0.keys.isEmpty })
    try await cameras.add(NewCamera(wedding: "w9", id: "alter", name: "a"))
    #expect(try await ask(cameras).status == 200)
  }

  @Test func `only a service token makes credentials`() async throws {
    let body = #"{"wedding_id":"w9"}"#
    let none = try await send(.post, generate, body)
    #expect(none.status == 401 && none.errorCode == "token_missing")
    #expect(none.fields[.wwwAuthenticate] == "Bearer")
    for scope in [Scope.publish, .watch] {
      let other = try await send(.post, generate, body, bearer: try token(scope))
      #expect(other.status == 403 && other.errorCode == "token_scope")
    }
    let old = try await send(.post, generate, body, bearer: try token(.service, expires: -60))
    #expect(old.status == 401 && old.errorCode == "token_expired")
    let inAddress = try await send(.post, "\(generate)?token=\(try token(.service))", body)
    #expect(inAddress.status == 401)
  }

  @Test func `a node without a secret says so`() async throws {
    let answer = try await send(
      .post, generate, #"{"wedding_id":"w9"}"#, bearer: try token(.service, wedding: nil),
      api: api(canIssue: false))
    #expect(answer.status == 501 && answer.errorCode == "no_secret")
  }

  @Test func `a stream key is admitted in every form it comes in`() async throws {
    let key = try token(.publish, camera: "two")
    let form = "application/x-www-form-urlencoded"
    let bodies = [
      (#"{"stream_key":"\#(key)"}"#, "application/json"),
      (#"{"stream_key":"\#(key)","wedding_id":"w1","camera_id":"two"}"#, "application/json"),
      ("app=live&call=publish&name=\(key)&addr=::1", form),
      ("app=live&call=publish&name=w1&token=\(key)", "\(form); charset=utf-8"),
      ("call=publish&name=w1%2Ftwo&token=\(key)", form),
    ]
    for (body, type) in bodies {
      let answer = try await send(.post, publish, body, type: type)
      #expect(answer.status == 200, "\(body): \(answer.text)")
      #expect(answer.object["wedding_id"] as? String == "w1")
      #expect(answer.object["camera_id"] as? String == "two")
      #expect(answer.object["stream_id"] as? String == "w1/two")
    }
  }

  @Test func `a stream key that may not publish is refused without being repeated`() async throws {
    let form = "application/x-www-form-urlencoded"
    let cases = [
      ("name=\(try token(.publish, expires: -100))", 401, "token_expired"),
      ("name=\(try token(.watch))", 403, "token_scope"),
      ("name=w2&token=\(try token(.publish))", 403, "token_wedding"),
      ("name=w1/three&token=\(try token(.publish))", 403, "token_camera"),
      ("name=\(try token(.publish))x", 401, "token_signature"), ("name=w1", 401, "token_malformed"),
      ("name=", 401, "token_missing"), ("", 401, "token_missing"),
    ]
    for (body, status, code) in cases {
      let answer = try await send(.post, publish, body, type: form)
      #expect(answer.status == status && answer.errorCode == code, "\(body): \(answer.text)")
      #expect(!answer.text.contains("eyJ"))
    }
  }

  @Test func `the end of a stream is noted, also when its key has expired`() async throws {
    let form = "application/x-www-form-urlencoded"
    for expires: Int64 in [100, -10_000] {
      let body = "call=publish_done&name=\(try token(.publish, expires: expires))"
      #expect(try await send(.post, publishDone, body, type: form).status == 200)
    }
    #expect(try await send(.post, publishDone, "name=nonsense", type: form).status == 401)
  }

  @Test func `a viewer learns where to watch and no stream key`() async throws {
    let answer = try await send(.get, "/api/streams/playback/w1")
    #expect(answer.status == 200)
    #expect(answer.object["is_live"] as? Bool == true)
    #expect(answer.object["state"] as? String == "live")
    #expect(answer.object["viewers"] as? Int == 3)
    #expect(
      answer.stream == ["hls_playback_url": "https://h/hls/w1/index.m3u8", "stream_id": "w1/main"])
    #expect(answer.fields[.accessControlAllowOrigin] == "*")
    #expect(
      try await send(.get, "/api/streams/playback/w2").object["is_live"] as? Bool == false)
  }

  @Test func `the backend gets all four fields with its service token`() async throws {
    let service = try token(.service, wedding: nil)
    let answer = try await send(.get, "/api/streams/playback/w1", bearer: service)
    let stream = try #require(answer.stream)
    #expect(Set(stream.keys) == ["stream_key", "rtmp_url", "hls_playback_url", "stream_id"])
    let key = Array(try #require(stream["stream_key"]).utf8)
    #expect(throws: Never.self) {
      try verifier.verify(key, for: .publish(wedding: "w1", camera: "main"), now: Self.now)
    }
    let inAddress = try await send(.get, "/api/streams/playback/w1?token=\(service)")
    #expect(inAddress.stream?["stream_key"] == nil)
  }

  @Test func `where watching needs a token, it may come in three ways`() async throws {
    let api = api(watchNeedsToken: true)
    let path = "/api/streams/playback/w1"
    let good = try token(.watch)
    #expect(try await send(.get, path, api: api).status == 401)
    #expect(try await send(.get, "\(path)?token=\(good)", api: api).status == 200)
    #expect(try await send(.get, path, bearer: good, api: api).status == 200)
    #expect(try await send(.get, path, cookie: "a=b; token=\(good)", api: api).status == 200)
    let other = try await send(.get, path, bearer: try token(.watch, wedding: "w2"), api: api)
    #expect(other.status == 403 && other.errorCode == "token_wedding")
    #expect(try await send(.get, path, bearer: try token(.publish), api: api).status == 403)
  }

  @Test(arguments: [
    "/api", "/api/", "/api/streams/playback", "/api/streams/playback/",
    "/api/streams/playback/a/b", "/api/streams/playback/a%2Fb", "/api//streams/playback/w1",
    "/api/streams/playback/%zz", "/", "",
  ])
  func `other addresses are not found`(path: String) async throws {
    let answer = try await send(.get, path)
    #expect(answer.status == 404 && answer.errorCode == "not_found")
  }

  @Test func `another method is named, another type and a long body refused`() async throws {
    let wrong = try await send(.get, generate)
    #expect(wrong.status == 405 && wrong.fields[.allow] == "POST")
    #expect(wrong.errorMessage == "GET isn't taken here; POST is.")
    let open = try await send(.put, "/api/streams/qualities/w1")
    #expect(open.status == 405 && open.fields[.allow] == "GET, HEAD, OPTIONS")
    #expect(open.errorMessage == "PUT isn't taken here; GET, HEAD and OPTIONS are.")
    let xml = try await send(.post, publish, "<a/>", type: "text/xml")
    #expect(xml.status == 415 && xml.errorCode == "unsupported_type")
    let long = try await send(.post, publish, String(repeating: "x", count: 70_000))
    #expect(long.status == 413)
    let name = try await send(.get, "/api/streams/playback/..%00")
    #expect(name.status == 400 && name.errorCode == "bad_name")
  }

  @Test func `calls are counted by route, never by what stands in the address`() async throws {
    _ = try await send(.get, "/api/streams/playback/w1")
    _ = try await send(.get, "/api/leak")
    let text = String(decoding: metrics.text(), as: UTF8.self)
    #expect(text.contains(#"wedlive_api_requests_total{route="playback",status="200"} 1"#))
    #expect(text.contains(#"wedlive_api_requests_total{route="none",status="404"} 1"#))
    #expect(!text.contains("leak"))
  }
}
