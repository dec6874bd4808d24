import Access
import Foundation
import HTTPServer
import HTTPTypes
import Logging

extension ControlAPI {
  private static let longestName = 100
  /// What stands in addresses where a camera's name does, too.
  static let cameraWords: Set<String> = ["add", "switch"]

  private struct AddedCamera: Encodable {
    let cameraId: String
    let cameraName: String
    let weddingId: String
    var streamKey: String?
    let rtmpUrl: String
    let rtmpsUrl: String?
    let hlsUrl: String
    let status: String
    let priority: Int
    var expiresAt: Int64?
  }

  private struct Camera: Encodable {
    let cameraId: String
    let cameraName: String
    let status: String
    let isActive: Bool
    let priority: Int
    let hlsUrl: String
    var rtmpUrl: String?
    let viewers: Int?
  }

  private struct Cameras: Encodable {
    let weddingId: String
    let locked: Bool
    let activeCameraId: String?
    let hlsUrl: String
    let viewers: Int?
    let cameras: [Camera]
  }

  private struct RemovedCamera: Encodable {
    let weddingId: String
    let cameraId: String
    let status = "removed"
  }

  private struct SwitchedCamera: Encodable {
    let weddingId: String
    let cameraId: String
    let previousCameraId: String?
    let isLive: Bool
    var message: String?
  }

  /// `POST /api/streams/camera/add`: another camera of a wedding, with a stream key of its own.
  ///
  /// Body: `wedding_id`, `camera_name`; optional `camera_id` (a random one, unless given),
  /// `priority` (of those that are live the highest follows a camera that is lost), `plan`,
  /// `user_id`, `expires_in` (as for `credentials/generate`). The key is shown here and nowhere
  /// again.
  func addCamera(_ call: Call) async throws(APIError) -> APIResponse {
    try requireService(call)
    let values = try call.values()
    let wedding = try Self.name(values["wedding_id"], "wedding_id")
    let id = try Self.cameraName(values["camera_id"] ?? UUID().uuidString.lowercased())
    let name = try Self.title(values["camera_name"])
    let priority = try Self.priority(values["priority"]) ?? 0
    let plan = try plan(values["plan"])
    let now = parts.now()
    let expires = now + (try Self.lifetime(values["expires_in"]))
    var key: String?
    if parts.issuer != nil {
      key = try streamKey(
        Claims(
          scope: .publish, wedding: wedding, camera: id, plan: plan,
          subject: values["user_id"], expires: expires), now: now)
    }
    do throws(CameraError) {
      try await parts.cameras.add(
        NewCamera(
          wedding: wedding, id: id, name: name, priority: priority, plan: plan,
          key: key.map { CameraKey(digest: CredentialDigest.of($0.utf8), expires: expires) }))
    } catch {
      throw refused(error, id, wedding)
    }
    return .json(
      AddedCamera(
        cameraId: id, cameraName: name, weddingId: wedding, streamKey: key,
        rtmpUrl: call.addresses.camera(id), rtmpsUrl: call.addresses.secureCamera(id),
        hlsUrl: call.addresses.playlist(wedding: wedding, camera: id),
        status: CameraInfo.Status.waiting.rawValue,
        priority: priority, expiresAt: key == nil ? nil : expires))
  }

  /// `DELETE /api/streams/camera/{camera_id}`: its keys are refused from now on, and its publisher
  /// is closed.
  ///
  /// Query: `wedding_id`, needed only where several weddings have a camera of that id.
  func removeCamera(_ call: Call) async throws(APIError) -> APIResponse {
    try requireService(call)
    let id = try Self.cameraName(call.parts.last ?? "")
    let wedding: String
    if let given = call.query.first(where: { $0.0 == "wedding_id" })?.1 {
      wedding = try Self.name(given, "wedding_id")
    } else {
      let having = parts.cameras.weddings(withCamera: id)
      guard having.count < 2 else {
        throw APIError(
          409, "ambiguous",
          "\(having.count) weddings have a camera of that id; add ?wedding_id= to say which.")
      }
      guard let only = having.first else {
        guard id != Claims.mainCamera else { throw Self.mainStays }
        throw refused(.unknown, id, "")
      }
      wedding = only
    }
    do throws(CameraError) {
      try await parts.cameras.remove(id, of: wedding)
    } catch {
      if id == Claims.mainCamera, case .unknown = error { throw Self.mainStays }
      throw refused(error, id, wedding)
    }
    return .json(RemovedCamera(weddingId: wedding, cameraId: id))
  }

  /// Every wedding has it, also one that nobody has added a camera to.
  private static let mainStays = APIError(
    409, "main_camera", "The main camera can't be removed; switch the program to another one.")

  /// `GET /api/streams/cameras/{wedding_id}`: all of them, and which one the program shows.
  ///
  /// Every wedding has its main camera, which is listed first where nobody has published it yet.
  ///
  /// Viewers may ask, as for `playback`; only a service is told where to publish.
  func listCameras(_ call: Call) async throws(APIError) -> APIResponse {
    let wedding = try Self.name(call.parts.last, "wedding_id")
    let isService = try admitToPlayback(call, wedding)
    var list = await parts.cameras.cameras(of: wedding)
    if !list.cameras.contains(where: { $0.id == Claims.mainCamera }) {
      list.cameras.insert(.waitingMain, at: 0)
    }
    var answer = APIResponse.json(
      Cameras(
        weddingId: wedding, locked: parts.locks.contains(wedding), activeCameraId: list.active,
        hlsUrl: call.addresses.playlist(wedding: wedding, camera: nil), viewers: list.viewers,
        cameras: list.cameras.map { camera in
          Camera(
            cameraId: camera.id, cameraName: camera.name, status: camera.status.rawValue,
            isActive: camera.id == list.active, priority: camera.priority,
            hlsUrl: call.addresses.playlist(wedding: wedding, camera: camera.id),
            rtmpUrl: isService ? call.addresses.camera(camera.id) : nil, viewers: camera.viewers)
        }))
    if !isService { answer.response.headerFields[.accessControlAllowOrigin] = "*" }
    return answer
  }

  /// `POST /api/streams/camera/switch`: the program shows another camera, within one segment.
  ///
  /// Body: `wedding_id`, `camera_id`.
  func switchCamera(_ call: Call) async throws(APIError) -> APIResponse {
    try requireService(call)
    let values = try call.values()
    let wedding = try Self.name(values["wedding_id"], "wedding_id")
    let id = try Self.cameraName(values["camera_id"] ?? "")
    do throws(CameraError) {
      let shown = try await parts.cameras.show(id, of: wedding)
      return .json(
        SwitchedCamera(
          weddingId: wedding, cameraId: id, previousCameraId: shown.previous, isLive: shown.isLive,
          message: shown.isLive ? nil : Self.ahead(isKnown: shown.isKnown)))
    } catch {
      throw refused(error, id, wedding)
    }
  }

  /// Keeps a stream key that was made for a camera with keys of its own.
  func keep(
    _ key: String, expires: Int64, camera: String, wedding: String
  ) async throws(APIError) {
    do throws(CameraError) {
      try await parts.cameras.add(
        CameraKey(digest: CredentialDigest.of(key.utf8), expires: expires), to: camera, of: wedding)
    } catch {
      throw refused(error, camera, wedding)
    }
  }

  /// What there is to say where a camera is chosen before any is live.
  private static func ahead(isKnown: Bool) -> String {
    isKnown
      ? "No camera of this wedding is live; this one is shown once it is."
      : "No camera of this wedding is live, and none was added: look whether its id is right. Its main"
        + " camera is shown once it is live."
  }

  private func refused(_ error: CameraError, _ id: String, _ wedding: String) -> APIError {
    switch error {
    case .unknown:
      return APIError(
        404, "no_camera",
        "There is no such camera; look whether its id is right, or add it (camera/add).")
    case .exists:
      return APIError(
        409, "camera_exists", "The wedding has a camera of that id; take another id, or none.")
    case .tooMany(let plan, let limit):
      return APIError(
        403, "not_in_plan",
        "The plan \(plan) has \(limit) camera\(limit == 1 ? "" : "s"), and the wedding has them; "
          + "remove one, or take a plan with more.")
    case .notLive:
      return APIError(
        409, "camera_not_live",
        "Another camera is live, and this one sends nothing; start it, then switch.")
    case .elsewhere(let node):
      return APIError(
        409, "other_node",
        "The node \(node) has this wedding; ask that one, or an edge, which finds it by itself.")
    case .notKept(let error):
      parts.log.error(
        "camera not kept",
        metadata: ["wedding": "\(wedding)", "camera": "\(id)", "error": "\(error)"])
      return .unavailable("not_kept", "The camera can't be kept now", error)
    }
  }

  /// A camera's name that may stand in addresses.
  static func cameraName(_ text: String) throws(APIError) -> String {
    let id = try name(text, "camera_id")
    guard !Claims.reservedCameras.contains(id), !cameraWords.contains(id) else {
      throw APIError(400, "bad_name", "No camera can be called \(id): addresses use that name.")
    }
    return id
  }

  /// What people call a camera.
  private static func title(_ text: String?) throws(APIError) -> String {
    let title = (text ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
    guard !title.isEmpty else {
      throw APIError(400, "missing_field", "camera_name is missing.")
    }
    let hasControl = title.unicodeScalars.contains { $0.properties.generalCategory == .control }
    guard title.count <= longestName, !hasControl else {
      throw APIError(
        400, "bad_field", "camera_name may have \(longestName) characters, on one line.")
    }
    return title
  }

  /// A whole number; nil where none is given.
  static func priority(_ text: String?) throws(APIError) -> Int? {
    guard let text else { return nil }
    guard let priority = Int(text) else {
      throw APIError(400, "bad_field", "priority must be a whole number.")
    }
    return priority
  }
}
