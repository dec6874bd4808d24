import Access
import ControlAPI
import Foundation
import HTTPTypes
import Store
import Synchronization
import Testing

/// Cameras of a node, in memory; it can be told what to refuse.
final class SomeCameras: CameraDirectory {
  struct Known {
    var added: [NewCamera] = []
    var keys: [(key: CameraKey, camera: String, wedding: String)] = []
    var active: String?
  }

  let known = Mutex(Known())
  let failure: CameraError?

  init(failing failure: CameraError? = nil) { self.failure = failure }

  private func refuse() throws(CameraError) { if let failure { throw failure } }

  func cameras(of wedding: String) async -> CameraList {
    known.withLock { known in
      CameraList(
        active: known.active,
        cameras: known.added.filter { $0.wedding == wedding }.map {
          CameraInfo(
            id: $0.id, name: $0.name, status: $0.id == known.active ? .live : .waiting,
            priority: $0.priority, viewers: 2)
        }, viewers: 7)
    }
  }

  func weddings(withCamera id: String) -> [String] {
    known.withLock { $0.added.filter { $0.id == id }.map(\.wedding) }
  }

  func add(_ camera: NewCamera) async throws(CameraError) {
    try refuse()
    known.withLock { $0.added.append(camera) }
  }

  func add(_ key: CameraKey, to camera: String, of wedding: String) async throws(CameraError) {
    try refuse()
    known.withLock { $0.keys.append((key, camera, wedding)) }
  }

  func remove(_ camera: String, of wedding: String) async throws(CameraError) {
    try refuse()
    let isKnown = known.withLock { known in
      let count = known.added.count
      known.added.removeAll { $0.id == camera && $0.wedding == wedding }
      return known.added.count < count
    }
    if !isKnown { throw .unknown }
  }

  func show(_ camera: String, of wedding: String) async throws(CameraError) -> CameraChoice {
    try refuse()
    return known.withLock { known in
      defer { known.active = camera }
      return CameraChoice(
        previous: known.active, isLive: camera == "two", isKnown: wedding != "nobodys")
    }
  }

  func refusal(of digest: [UInt8], camera: String, wedding: String) -> String? {
    camera == "removed" ? "this camera was removed" : nil
  }
}

extension `Control API` {
  private func add(
    _ body: String, _ cameras: SomeCameras = SomeCameras(), canIssue: Bool = true
  ) async throws -> Answer {
    try await send(
      .post, "/api/streams/camera/add", body, bearer: token(.service, wedding: nil),
      api: api(canIssue: canIssue, cameras: cameras))
  }

  @Test func `a camera gets a name, a key of its own and its addresses`() async throws {
    let cameras = SomeCameras()
    let answer = try await add(
      #"{"wedding_id":"w1","camera_name":" Altar ","priority":3,"plan":"premium"}"#, cameras)
    #expect(answer.status == 200)
    let id = try #require(answer.object["camera_id"] as? String)
    #expect(UUID(uuidString: id) != nil)
    #expect(answer.object["camera_name"] as? String == "Altar")
    #expect(answer.object["rtmp_url"] as? String == "rtmp://h:1935/camera_\(id)")
    #expect(answer.object["rtmps_url"] as? String == "rtmps://h:1936/camera_\(id)")
    #expect(answer.object["hls_url"] as? String == "https://h/hls/w1/\(id)/index.m3u8")
    #expect(answer.object["status"] as? String == "waiting")
    let key = try #require(answer.object["stream_key"] as? String)
    _ = try verifier.verify(
      Array(key.utf8), for: .publish(wedding: "w1", camera: id), now: Self.now)
    let added = cameras.known.withLock { $0.added }
    let expires = Self.now + 86_400
    #expect(
      added == [
        NewCamera(
          wedding: "w1", id: id, name: "Altar", priority: 3, plan: "premium",
          key: CameraKey(digest: CredentialDigest.of(key.utf8), expires: expires))
      ])
    #expect(!"\(added)".contains(key))
  }

  @Test func `where keys are made elsewhere a camera is added without one`() async throws {
    let answer = try await add(
      #"{"wedding_id":"w1","camera_name":"a","camera_id":"drone"}"#, canIssue: false)
    #expect(answer.status == 200)
    #expect(answer.object["camera_id"] as? String == "drone")
    #expect(answer.object["stream_key"] == nil)
  }

  @Test(
    arguments: [
      (#"{"camera_name":"a"}"#, 400, "missing_field"),
      (#"{"wedding_id":"w1"}"#, 400, "missing_field"),
      (#"{"wedding_id":"w1","camera_name":"  "}"#, 400, "missing_field"),
      (#"{"wedding_id":"w1","camera_name":"a\nb"}"#, 400, "bad_field"),
      (#"{"wedding_id":"w1","camera_name":"a","camera_id":"program"}"#, 400, "bad_name"),
      (#"{"wedding_id":"w1","camera_name":"a","camera_id":"recordings"}"#, 400, "bad_name"),
      (#"{"wedding_id":"w1","camera_name":"a","camera_id":"switch"}"#, 400, "bad_name"),
      (#"{"wedding_id":"w1","camera_name":"a","camera_id":"add"}"#, 400, "bad_name"),
      (#"{"wedding_id":"w1","camera_name":"a","camera_id":"x/y"}"#, 400, "bad_name"),
      (#"{"wedding_id":"w1","camera_name":"a","priority":"high"}"#, 400, "bad_field"),
      (#"{"wedding_id":"w1","camera_name":"a","expires_in":1}"#, 400, "bad_field"),
    ] as [(String, Int, String)])
  func `what can be no camera is refused`(body: String, status: Int, code: String) async throws {
    let cameras = SomeCameras()
    let answer = try await add(body, cameras)
    #expect(answer.status == status)
    #expect(answer.errorCode == code)
    #expect(cameras.known.withLock { $0.added.isEmpty })
  }

  @Test(
    arguments: [
      (.exists, 409, "camera_exists"), (.tooMany(plan: "free", limit: 1), 403, "not_in_plan"),
      (.notKept(.full("no room")), 503, "not_kept"), (.unknown, 404, "no_camera"),
      (.notLive, 409, "camera_not_live"), (.elsewhere(node: "origin-2"), 409, "other_node"),
    ] as [(CameraError, Int, String)])
  func `why a camera can't be changed is told`(
    error: CameraError, status: Int, code: String
  ) async throws {
    let cameras = SomeCameras(failing: error)
    let answer = try await add(#"{"wedding_id":"w1","camera_name":"a"}"#, cameras)
    #expect(answer.status == status)
    #expect(answer.errorCode == code)
    let other = try await send(
      .post, "/api/streams/camera/switch", #"{"wedding_id":"w1","camera_id":"a"}"#,
      bearer: token(.service, wedding: nil), api: api(cameras: cameras))
    #expect(other.errorCode == code)
  }

  @Test func `viewers see the cameras, services also where to publish`() async throws {
    let cameras = SomeCameras()
    for name in ["one", "two"] {
      _ = try await add(
        #"{"wedding_id":"w1","camera_name":"\#(name)","camera_id":"\#(name)"}"#, cameras)
    }
    let api = api(cameras: cameras)
    let service = try token(.service, wedding: nil)
    let switched = try await send(
      .post, "/api/streams/camera/switch", #"{"wedding_id":"w1","camera_id":"two"}"#,
      bearer: service, api: api)
    #expect(switched.status == 200)
    #expect(switched.object["previous_camera_id"] == nil)
    #expect(switched.object["is_live"] as? Bool == true)
    #expect(switched.object["message"] == nil)
    let answer = try await send(.get, "/api/streams/cameras/w1", api: api)
    #expect(answer.object["active_camera_id"] as? String == "two")
    let list = try #require(answer.object["cameras"] as? [[String: Any]])
    #expect(list.compactMap { $0["camera_id"] as? String } == ["main", "one", "two"])
    #expect(list.compactMap { $0["is_active"] as? Bool } == [false, false, true])
    #expect(list.compactMap { $0["status"] as? String } == ["waiting", "waiting", "live"])
    #expect(list.allSatisfy { $0["rtmp_url"] == nil && $0["stream_key"] == nil })
    #expect(answer.fields[.accessControlAllowOrigin] == "*")
    let full = try await send(.get, "/api/streams/cameras/w1", bearer: service, api: api)
    let own = try #require(full.object["cameras"] as? [[String: Any]])
    #expect(
      own.compactMap { $0["rtmp_url"] as? String }
        == ["main", "one", "two"].map { "rtmp://h:1935/camera_\($0)" })
    #expect(full.fields[.accessControlAllowOrigin] == nil)
    let locked = self.api(watchNeedsToken: true, cameras: cameras)
    #expect(try await send(.get, "/api/streams/cameras/w1", api: locked).status == 401)
  }

  @Test func `a main camera that is known already is listed once, where it stands`() async throws {
    let cameras = SomeCameras()
    for id in ["one", "main"] {
      try await cameras.add(NewCamera(wedding: "w1", id: id, name: "The \(id)"))
    }
    let answer = try await send(.get, "/api/streams/cameras/w1", api: api(cameras: cameras))
    let list = try #require(answer.object["cameras"] as? [[String: Any]])
    #expect(list.compactMap { $0["camera_name"] as? String } == ["The one", "The main"])
  }

  @Test(arguments: ["add", "switch"])
  func `calls about cameras are no cameras' names`(word: String) async throws {
    let service = try token(.service, wedding: nil)
    for method in [HTTPRequest.Method.get, .delete] {
      let answer = try await send(method, "/api/streams/camera/\(word)", bearer: service)
      #expect(answer.status == 405 && answer.fields[.allow] == "POST")
      #expect(answer.errorMessage == "\(method.rawValue) isn't taken here; POST is.")
    }
  }

  @Test(arguments: [
    ("w1", "this one is shown once it is"), ("nobodys", "look whether its id is right"),
  ])
  func `who chooses a camera before any is live is told so`(
    wedding: String, words: String
  ) async throws {
    let answer = try await send(
      .post, "/api/streams/camera/switch", #"{"wedding_id":"\#(wedding)","camera_id":"main"}"#,
      bearer: token(.service, wedding: nil), api: api(cameras: SomeCameras()))
    #expect(answer.status == 200)
    #expect(answer.object["is_live"] as? Bool == false)
    #expect((answer.object["message"] as? String)?.contains(words) == true)
  }

  @Test func `a camera is removed by its id, by its wedding too where that is not enough`()
    async throws
  {
    let cameras = SomeCameras()
    for wedding in ["w1", "w2"] {
      _ = try await add(
        #"{"wedding_id":"\#(wedding)","camera_name":"a","camera_id":"drone"}"#, cameras)
    }
    let api = api(cameras: cameras)
    let service = try token(.service, wedding: nil)
    func remove(_ path: String) async throws -> Answer {
      try await send(.delete, "/api/streams/camera/\(path)", bearer: service, api: api)
    }
    #expect(try await remove("drone").errorCode == "ambiguous")
    let answer = try await remove("drone?wedding_id=w2")
    #expect(answer.status == 200)
    #expect(answer.object["wedding_id"] as? String == "w2")
    #expect(try await remove("drone").status == 200)
    #expect(try await remove("drone").errorCode == "no_camera")
    #expect(try await remove("main").errorCode == "main_camera")
    #expect(try await send(.delete, "/api/streams/camera/drone", api: api).status == 401)
  }

  @Test func `a removed camera's key may not publish, by whoever asks`() async throws {
    let key = try token(.publish, camera: "removed")
    let answer = try await send(.post, "/api/streams/auth/publish", #"{"stream_key":"\#(key)"}"#)
    #expect(answer.status == 403)
    #expect(answer.errorCode == "camera_refused")
  }

  @Test func `no key is made for a camera that was removed`() async throws {
    let answer = try await send(
      .post, "/api/streams/credentials/generate", #"{"wedding_id":"w1","camera_id":"removed"}"#,
      bearer: token(.service, wedding: nil))
    #expect(answer.status == 409)
    #expect(answer.errorCode == "camera_refused")
  }

  @Test func `a key that is made later is one of the camera's`() async throws {
    let cameras = SomeCameras()
    try await cameras.add(NewCamera(wedding: "w1", id: "two", name: "Two"))
    let answer = try await send(
      .post, "/api/streams/credentials/generate", #"{"wedding_id":"w1","camera_id":"two"}"#,
      bearer: token(.service, wedding: nil), api: api(cameras: cameras))
    let stream = try #require(answer.object["nginx_stream"] as? [String: Any])
    let key = try #require(stream["stream_key"] as? String)
    let kept = cameras.known.withLock { $0.keys }
    #expect(kept.map(\.key.digest) == [CredentialDigest.of(key.utf8)])
    #expect(kept.map(\.camera) == ["two"])
  }
}
