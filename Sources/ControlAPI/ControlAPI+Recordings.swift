import Access
import HTTPServer
import HTTPTypes

extension ControlAPI {
  private struct Started: Encodable {
    let weddingId: String
    let cameraId: String
    /// Of the first, for those who know of one quality only.
    let recordingId: String?
    let recordings: [RecordingInfo]
    /// What becomes of an order for a stream that isn't live.
    var message: String?
  }

  private struct Listed: Encodable {
    let weddingId: String
    let recordings: [RecordingInfo]
    /// Whether these are all there are, as they are now.
    let complete: Bool
    /// Why not; for services.
    let doubt: String?
  }

  private struct Deleted: Encodable {
    let recordingId: String
    let deleted: Bool
    let reason: String?
  }

  /// `POST /api/streams/recording/start`: records a stream from now on.
  ///
  /// Body: `wedding_id`; optional `camera_id`. A stream that is recorded already goes on so; one
  /// that is not live is recorded when it begins, and the answer is 202.
  func startRecording(_ call: Call) async throws(APIError) -> APIResponse {
    try requireService(call)
    let (wedding, camera) = try Self.stream(try call.values())
    let recordings = try directory()
    // One that is on the air may be known to its own node alone.
    var isKnown = await parts.cameras.isKnown(camera, of: wedding)
    if !isKnown { isKnown = await recordings.isThere(wedding: wedding, camera: camera) }
    guard isKnown else {
      throw APIError(
        404, "no_camera",
        "This wedding has no camera \(camera); look whether its id is right, or add it "
          + "(camera/add).")
    }
    let started = try await recordings.start(wedding: wedding, camera: camera)
    return .json(
      Started(
        weddingId: wedding, cameraId: camera, recordingId: started.first?.recordingId,
        recordings: started.map { $0.found(at: call.addresses.web) },
        message: started.isEmpty
          ? "This stream isn't live; it is recorded when it begins." : nil),
      status: started.isEmpty ? .accepted : .ok)
  }

  /// `POST /api/streams/recording/stop`: ends what is recorded of a stream, or keeps it from
  /// beginning.
  ///
  /// Body: as that of `start`.
  func stopRecording(_ call: Call) async throws(APIError) -> APIResponse {
    try requireService(call)
    let (wedding, camera) = try Self.stream(try call.values())
    let stopped = try await directory().stop(wedding: wedding, camera: camera)
    return .json(
      Started(
        weddingId: wedding, cameraId: camera, recordingId: stopped.first?.recordingId,
        recordings: stopped.map { $0.found(at: call.addresses.web) }))
  }

  /// `POST /api/streams/recording/complete`: a recording is over, and is to be processed now.
  ///
  /// Body: `recording_id`, or what nginx-rtmp posts when a file is finished (`name`, which is the
  /// wedding or `wedding/camera`), or `wedding_id` with an optional `camera_id`. Recordings that
  /// are processed without being asked, which are all of this node, are none the worse for it.
  func completeRecording(_ call: Call) async throws(APIError) -> APIResponse {
    try requireService(call)
    var values = try call.values()
    if let id = values["recording_id"] {
      let info = try await directory().complete(try Self.name(id, "recording_id"))
      return .json(
        Started(
          weddingId: info.weddingId, cameraId: info.cameraId, recordingId: info.recordingId,
          recordings: [info.found(at: call.addresses.web)]))
    }
    if values["wedding_id"] == nil, let name = values["name"] {
      let names = name.split(separator: "/", maxSplits: 1).map(String.init)
      values["wedding_id"] = names.first
      if names.count > 1 { values["camera_id"] = names[1] }
    }
    let (wedding, camera) = try Self.stream(values)
    let all = try await directory().recordings(ofWedding: wedding).filter {
      $0.cameraId == camera
    }
    guard !all.isEmpty else {
      throw APIError(404, "no_recording", "There is no recording of this stream.")
    }
    // Those of a node that is away go on there when it is back, whatever was asked for meanwhile.
    let known = all.filter { $0.reachable != false }
    guard !known.isEmpty else {
      throw APIError(
        503, "node_away",
        "The recordings of this stream are on nodes that can't be reached now ("
          + Set(all.compactMap(\.node)).sorted().joined(separator: ", ")
          + "); try again when they are back.")
    }
    var completed: [RecordingInfo] = []
    if known.contains(where: { $0.state == "recording" }) {
      completed = try await directory().stop(wedding: wedding, camera: camera)
    } else {
      for recording in known where recording.state != "completed" {
        completed.append(try await directory().complete(recording.recordingId))
      }
    }
    return .json(
      Started(
        weddingId: wedding, cameraId: camera, recordingId: completed.first?.recordingId,
        recordings: completed.map { $0.found(at: call.addresses.web) }))
  }

  /// `GET /api/streams/recordings/{wedding_id}`: what there is to watch; to a service also what is
  /// being done with each.
  func recordings(_ call: Call) async throws(APIError) -> APIResponse {
    let wedding = try Self.name(call.parts.last, "wedding_id")
    let isService = try admitToRecordings(call, wedding)
    let list = try await directory().list(ofWedding: wedding)
    let all = list.recordings
    let shown = (isService ? all : all.filter { $0.state == "completed" }.map(\.forViewers)).map {
      $0.found(at: call.addresses.web)
    }
    var answer = APIResponse.json(
      Listed(
        weddingId: wedding, recordings: shown, complete: list.doubt == nil,
        doubt: isService ? list.doubt : nil))
    if !isService { answer.response.headerFields[.accessControlAllowOrigin] = "*" }
    return answer
  }

  /// `DELETE /api/streams/recordings/{recording_id}`: here and where it was uploaded to.
  ///
  /// 200 once it is gone, 202 where the storage has still to delete it.
  func deleteRecording(_ call: Call) async throws(APIError) -> APIResponse {
    try requireService(call)
    let id = try Self.name(call.parts.last, "recording_id")
    switch try await directory().delete(id) {
    case .deleted: return .json(Deleted(recordingId: id, deleted: true, reason: nil))
    case .underWay(let reason):
      return .json(Deleted(recordingId: id, deleted: false, reason: reason), status: .accepted)
    }
  }

  private func directory() throws(APIError) -> any RecordingDirectory {
    guard let recordings = parts.recordings else {
      throw APIError(501, "no_recordings", "This node records nothing.")
    }
    return recordings
  }

  private static func stream(
    _ values: [String: String]
  ) throws(APIError) -> (wedding: String, camera: String) {
    (
      try name(values["wedding_id"], "wedding_id"),
      try cameraName(values["camera_id"] ?? Claims.mainCamera)
    )
  }

  /// Whether a service, or else a viewer of that wedding, may see its recordings.
  ///
  /// - Returns: whether it is a service.
  private func admitToRecordings(_ call: Call, _ wedding: String) throws(APIError) -> Bool {
    let isLocked = parts.locks.contains(wedding)
    guard let token = call.viewerToken else {
      if parts.watchNeedsToken || isLocked { throw APIError(Refusal(.missing)) }
      return false
    }
    do throws(Refusal) {
      let claims = try parts.verifier.verify(Array(token.utf8), now: parts.now())
      // A service token in an address would stand in logs: only the header's counts.
      if claims.scope == .service, call.bearer == token { return true }
      try claims.check(.watch(wedding: wedding, camera: nil, isLocked: isLocked))
      return false
    } catch {
      // Where watching is public, a stale or foreign token is no reason to refuse.
      if !parts.watchNeedsToken, !isLocked { return false }
      throw APIError(error)
    }
  }
}
