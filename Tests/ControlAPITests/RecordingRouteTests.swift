import Access
import ControlAPI
import Foundation
import HTTPTypes
import Synchronization
import Testing

/// Recordings of one wedding, and what was asked of them.
private final class SomeRecordings: RecordingDirectory {
  let asked = Mutex<[String]>([])
  let removal: RecordingRemoval

  init(removal: RecordingRemoval = .deleted) { self.removal = removal }

  private func note(_ words: String) { asked.withLock { $0.append(words) } }

  static func info(_ id: String, _ state: String, camera: String = "main") -> RecordingInfo {
    var info = RecordingInfo(
      recordingId: id, weddingId: "w1", cameraId: camera, quality: "source", state: state,
      startedAt: 1, endedAt: state == "recording" ? nil : 61, duration: 60.5, fileSize: 1_000)
    info.reason = "the publisher left"
    info.step = state == "processing" ? "upload" : nil
    info.progress = state == "processing" ? 0.5 : nil
    info.cdnUrl = state == "completed" ? "https://cdn/w1/\(id)/recording.mp4" : nil
    // As the node that keeps it tells them.
    info.playbackUrl = "https://origin:8443/hls/w1/recordings/\(id)/index.m3u8"
    info.thumbnails = ["https://origin:8443/hls/w1/recordings/\(id)/thumbnail-1.jpg"]
    return info
  }

  func start(wedding: String, camera: String) async throws(APIError) -> [RecordingInfo] {
    note("start \(wedding)/\(camera)")
    if wedding == "w3" { return [] }
    guard wedding == "w1" else { throw APIError(404, "not_live", "Nobody publishes it.") }
    return [Self.info("rec_new", "recording", camera: camera)]
  }

  /// One that another node has.
  func isThere(wedding: String, camera: String) async -> Bool { camera == "elsewhere" }

  func stop(wedding: String, camera: String) async throws(APIError) -> [RecordingInfo] {
    note("stop \(wedding)/\(camera)")
    return [Self.info("rec_2", "processing")]
  }

  func complete(_ recording: String) async throws(APIError) -> RecordingInfo {
    note("complete \(recording)")
    return Self.info(recording, "processing")
  }

  func recording(_ recording: String) async throws(APIError) -> RecordingInfo {
    guard recording.hasPrefix("rec_") else { throw APIError(404, "no_recording", "None.") }
    return Self.info(recording, "completed")
  }

  func recordings(ofWedding wedding: String) async throws(APIError) -> [RecordingInfo] {
    guard wedding == "w1" else { return [] }
    return [
      Self.info("rec_1", "completed"), Self.info("rec_2", "recording"),
      Self.info("rec_3", "failed", camera: "two"),
    ]
  }

  func delete(_ recording: String) async throws(APIError) -> RecordingRemoval {
    note("delete \(recording)")
    if recording == "rec_2" { throw APIError(409, "is_recording", "Stop it first.") }
    return removal
  }
}

extension `Control API` {
  private func list(_ answer: Answer) throws -> [[String: Any]] {
    try #require(answer.object["recordings"] as? [[String: Any]])
  }

  @Test func `recording starts and stops at a service's word`() async throws {
    let recordings = SomeRecordings()
    let api = api(recordings: recordings)
    let service = try token(.service, wedding: nil)
    let body = #"{"wedding_id":"w1"}"#
    let started = try await send(
      .post, "/api/streams/recording/start", body, bearer: service, api: api)
    #expect(started.status == 200)
    #expect(started.object["recording_id"] as? String == "rec_new")
    #expect(try list(started).first?["state"] as? String == "recording")
    let stopped = try await send(
      .post, "/api/streams/recording/stop", "wedding_id=w1&camera_id=two",
      type: "application/x-www-form-urlencoded", bearer: service, api: api)
    #expect(stopped.status == 200)
    #expect(recordings.asked.withLock { $0 } == ["start w1/main", "stop w1/two"])
    let away = try await send(
      .post, "/api/streams/recording/start", #"{"wedding_id":"w2"}"#, bearer: service, api: api)
    #expect(away.status == 404)
    #expect(away.errorCode == "not_live")
    // It is recorded once it begins.
    let later = try await send(
      .post, "/api/streams/recording/start", #"{"wedding_id":"w3"}"#, bearer: service, api: api)
    #expect(later.status == 202)
    #expect(try list(later).isEmpty)
    #expect((later.object["message"] as? String)?.contains("recorded when it begins") == true)
    #expect(started.object["message"] == nil)
  }

  @Test func `recording starts of cameras that there are, live or not`() async throws {
    let recordings = SomeRecordings()
    let cameras = SomeCameras()
    cameras.known.withLock { $0.added = [NewCamera(wedding: "w1", id: "altar", name: "Altar")] }
    let api = api(cameras: cameras, recordings: recordings)
    let service = try token(.service, wedding: nil)
    func start(_ camera: String) async throws -> Answer {
      try await send(
        .post, "/api/streams/recording/start", #"{"wedding_id":"w1","camera_id":"\#(camera)"}"#,
        bearer: service, api: api)
    }
    for camera in ["main", "altar", "elsewhere"] {
      #expect(try await start(camera).status == 200, "\(camera)")
    }
    for camera in ["program", "recordings", "add", "a b"] {
      let answer = try await start(camera)
      #expect(answer.status == 400, "\(camera)")
      #expect(answer.errorCode == "bad_name", "\(camera)")
    }
    let unknown = try await start("alter")
    #expect(unknown.status == 404)
    #expect(unknown.errorCode == "no_camera")
    #expect(
      recordings.asked.withLock { $0 } == ["start w1/main", "start w1/altar", "start w1/elsewhere"])
  }

  @Test(arguments: ["start", "stop", "complete"])
  func `only services change recordings`(verb: String) async throws {
    let recordings = SomeRecordings()
    let api = api(recordings: recordings)
    for bearer in [nil, try token(.watch), try token(.publish)] {
      let answer = try await send(
        .post, "/api/streams/recording/\(verb)", #"{"wedding_id":"w1"}"#, bearer: bearer, api: api)
      #expect(answer.status == (bearer == nil ? 401 : 403))
    }
    let deletion = try await send(
      .delete, "/api/streams/recordings/rec_1", bearer: try token(.watch), api: api)
    #expect(deletion.status == 403)
    #expect(recordings.asked.withLock { $0 }.isEmpty)
  }

  @Test func `a service sees all, a viewer what there is to watch`() async throws {
    let api = api(watchNeedsToken: true, recordings: SomeRecordings())
    let path = "/api/streams/recordings/w1"
    let all = try await send(.get, path, bearer: try token(.service, wedding: nil), api: api)
    #expect(try list(all).map { $0["recording_id"] as? String } == ["rec_1", "rec_2", "rec_3"])
    #expect(try list(all)[0]["duration"] as? Double == 60.5)
    #expect(try list(all)[0]["reason"] != nil)
    let some = try await send(.get, path + "?token=\(try token(.watch))", api: api)
    #expect(try list(some).map { $0["recording_id"] as? String } == ["rec_1"])
    #expect(try list(some)[0]["reason"] == nil)
    #expect(try list(some)[0]["cdn_url"] as? String == "https://cdn/w1/rec_1/recording.mp4")
    // Viewers are sent where they are to go, not to the node that keeps it.
    let folder = "https://h/hls/w1/recordings/rec_1"
    #expect(try list(some)[0]["playback_url"] as? String == "\(folder)/index.m3u8")
    #expect(try list(some)[0]["thumbnails"] as? [String] == ["\(folder)/thumbnail-1.jpg"])
    #expect(some.fields[.accessControlAllowOrigin] == "*")
    #expect(try await send(.get, path, api: api).status == 401)
    let other = try await send(
      .get, path + "?token=\(try token(.watch, wedding: "w2"))", api: api)
    #expect(other.status == 403)
  }

  @Test func `a locked wedding's recordings are for those it is open to`() async throws {
    let locks = Locks()
    locks.weddings.withLock { $0 = ["w1"] }
    let api = api(locks: locks, recordings: SomeRecordings())
    let path = "/api/streams/recordings/w1"
    #expect(try await send(.get, path, api: api).status == 401)
    #expect(try await send(.get, path + "?token=\(try token(.watch))", api: api).status == 403)
    let service = try token(.service, wedding: nil)
    #expect(try await send(.get, path, bearer: service, api: api).status == 200)
  }

  @Test func `complete takes a name, a wedding, and what nginx-rtmp posts`() async throws {
    let recordings = SomeRecordings()
    let api = api(recordings: recordings)
    let service = try token(.service, wedding: nil)
    let path = "/api/streams/recording/complete"
    let form = "application/x-www-form-urlencoded"
    for (body, type) in [
      (#"{"recording_id":"rec_3"}"#, "application/json"),
      (#"{"wedding_id":"w1"}"#, "application/json"),
      ("call=record_done&app=live&name=w1/two&path=/tmp/recordings/x.flv&recorder=", form),
    ] {
      #expect(
        try await send(.post, path, body, type: type, bearer: service, api: api).status == 200)
    }
    #expect(
      recordings.asked.withLock { $0 } == ["complete rec_3", "stop w1/main", "complete rec_3"])
    let none = try await send(
      .post, path, #"{"wedding_id":"w1","camera_id":"nine"}"#, bearer: service, api: api)
    #expect(none.errorCode == "no_recording")
  }

  @Test func `a deletion is done, or under way, or not to be had`() async throws {
    let service = try token(.service, wedding: nil)
    let done = try await send(
      .delete, "/api/streams/recordings/rec_1", bearer: service,
      api: api(recordings: SomeRecordings()))
    #expect(done.status == 200)
    #expect(done.object["deleted"] as? Bool == true)
    let later = try await send(
      .delete, "/api/streams/recordings/rec_1", bearer: service,
      api: api(recordings: SomeRecordings(removal: .underWay("the storage can't be reached"))))
    #expect(later.status == 202)
    #expect(later.object["deleted"] as? Bool == false)
    #expect(later.object["reason"] as? String == "the storage can't be reached")
    let busy = try await send(
      .delete, "/api/streams/recordings/rec_2", bearer: service,
      api: api(recordings: SomeRecordings()))
    #expect(busy.status == 409)
    let nowhere = try await send(.get, "/api/streams/recordings/w1", bearer: service)
    #expect(nowhere.errorCode == "no_recordings")
  }

  /// Recordings of which some are on nodes that can't be reached.
  private final class Scattered: RecordingDirectory {
    let completed = Mutex<[String]>([])
    let areAllAway: Bool

    init(areAllAway: Bool = false) { self.areAllAway = areAllAway }

    private func info(_ id: String, _ state: String, node: String, _ isHere: Bool) -> RecordingInfo
    {
      var info = SomeRecordings.info(id, state)
      info.node = node
      info.reachable = isHere && !areAllAway
      return info
    }

    func list(ofWedding wedding: String) async throws(APIError) -> RecordingList {
      RecordingList(
        recordings: [
          info("rec_1", "recording", node: "one", false),
          info("rec_2", "completed", node: "one", false),
          info("rec_3", "failed", node: "two", true), info("rec_4", "completed", node: "two", true),
        ], doubt: "Redis is away")
    }

    func recordings(ofWedding wedding: String) async throws(APIError) -> [RecordingInfo] {
      try await list(ofWedding: wedding).recordings
    }

    func complete(_ recording: String) async throws(APIError) -> RecordingInfo {
      completed.withLock { $0.append(recording) }
      return info(recording, "processing", node: "two", true)
    }

    func start(wedding: String, camera: String) async throws(APIError) -> [RecordingInfo] { [] }
    func stop(wedding: String, camera: String) async throws(APIError) -> [RecordingInfo] { [] }

    func recording(_ recording: String) async throws(APIError) -> RecordingInfo {
      info(recording, "completed", node: "two", true)
    }

    func delete(_ recording: String) async throws(APIError) -> RecordingRemoval { .deleted }
  }

  @Test func `a list says which node has what, and what may be missing`() async throws {
    let api = api(recordings: Scattered())
    let service = try await send(
      .get, "/api/streams/recordings/w1", bearer: try token(.service, wedding: nil), api: api)
    #expect(try list(service).map { $0["node"] as? String } == ["one", "one", "two", "two"])
    #expect(
      try list(service).map { $0["reachable"] as? Bool } == [false, false, true, true])
    #expect(service.object["complete"] as? Bool == false)
    #expect(service.object["doubt"] as? String == "Redis is away")
    // Viewers see what they can have now, and not by which machines.
    let viewer = try await send(.get, "/api/streams/recordings/w1", api: api)
    #expect(try list(viewer).map { $0["recording_id"] as? String } == ["rec_2", "rec_4"])
    #expect(try list(viewer).map { $0["reachable"] as? Bool } == [false, true])
    #expect(try list(viewer).allSatisfy { $0["node"] == nil })
    #expect(viewer.object["complete"] as? Bool == false)
    #expect(viewer.object["doubt"] == nil)
  }

  @Test func `a node by itself has all there is`() async throws {
    let answer = try await send(
      .get, "/api/streams/recordings/w1", bearer: try token(.service, wedding: nil),
      api: api(recordings: SomeRecordings()))
    #expect(answer.object["complete"] as? Bool == true)
    #expect(try list(answer).allSatisfy { $0["node"] == nil && $0["reachable"] == nil })
  }

  @Test func `what is away is not completed, and not said to be`() async throws {
    let recordings = Scattered()
    let service = try token(.service, wedding: nil)
    let body = #"{"wedding_id":"w1"}"#
    let answer = try await send(
      .post, "/api/streams/recording/complete", body, bearer: service,
      api: api(recordings: recordings))
    #expect(answer.status == 200)
    #expect(recordings.completed.withLock { $0 } == ["rec_3"])
    let none = try await send(
      .post, "/api/streams/recording/complete", body, bearer: service,
      api: api(recordings: Scattered(areAllAway: true)))
    #expect(none.status == 503)
    #expect(none.errorCode == "node_away")
  }
}
