import Access
import HTTPServer

extension ControlAPI {
  /// A day's wedding, and time to set up the evening before.
  private static let defaultLifetime: Int64 = 24 * 3600
  private static let lifetimes: ClosedRange<Int64> = 60...(90 * 86_400)

  /// The plan's `nginx_stream` object.
  struct NginxStream: Encodable {
    var streamKey: String?
    var rtmpUrl: String?
    var hlsPlaybackUrl: String
    var streamId: String
  }

  private struct Credentials: Encodable {
    let weddingId: String
    let cameraId: String
    let nginxStream: NginxStream
    let rtmpsUrl: String?
    let expiresAt: Int64
  }

  /// `POST /api/streams/credentials/generate`: a stream key and the addresses that go with it.
  ///
  /// Body: `wedding_id`; optional `camera_id`, `plan`, `user_id`, `priority`, `expires_in`
  /// (seconds, a minute to 90 days; a day when absent).
  ///
  /// The main camera is always there; others are once they were added (`camera/add`), and take this
  /// key as well as those they have, or once they have been live.
  func generateCredentials(_ call: Call) async throws(APIError) -> APIResponse {
    try requireService(call)
    let values = try call.values()
    let wedding = try Self.name(values["wedding_id"], "wedding_id")
    let camera = try Self.cameraName(values["camera_id"] ?? Claims.mainCamera)
    let now = parts.now()
    let expires = now + (try Self.lifetime(values["expires_in"]))
    var claims = Claims(
      scope: .publish, wedding: wedding, camera: camera, plan: try plan(values["plan"]),
      subject: values["user_id"], expires: expires)
    if let priority = try Self.priority(values["priority"]) { claims.priority = priority }
    let key = try streamKey(claims, now: now)
    let others = await parts.cameras.cameras(of: wedding).cameras.map(\.id)
    let known = [Claims.mainCamera] + others.filter { $0 != Claims.mainCamera }
    let isKnown = known.contains(camera)
    if isKnown { try await keep(key, expires: expires, camera: camera, wedding: wedding) }
    let refusal = parts.cameras.refusal(
      of: CredentialDigest.of(key.utf8), camera: camera, wedding: wedding)
    if let refusal { throw APIError(409, "camera_refused", "\(refusal).") }
    guard isKnown else {
      throw APIError(
        404, "no_camera",
        "This wedding has no camera \(camera); it has \(known.joined(separator: ", ")). "
          + "Add it first (camera/add).")
    }
    // The program's own address, so that a camera can be switched, unless it is another camera's.
    let shown = camera == Claims.mainCamera ? nil : camera
    return .json(
      Credentials(
        weddingId: wedding, cameraId: camera,
        nginxStream: NginxStream(
          streamKey: key, rtmpUrl: call.addresses.rtmp,
          hlsPlaybackUrl: call.addresses.playlist(wedding: wedding, camera: shown),
          streamId: Self.streamID(wedding, camera)),
        rtmpsUrl: call.addresses.rtmps, expiresAt: expires))
  }

  /// A plan that there is; nil where none is named.
  ///
  /// - Throws: 400, with the names of those there are: a key of another would be one of none.
  func plan(_ name: String?) throws(APIError) -> String? {
    guard let name, !name.isEmpty, parts.plans.number(ofViewer: name) == 0 else { return name }
    let known = parts.plans.plans.map(\.name)
    throw APIError(
      400, "unknown_plan",
      "There is no such plan; plan may be one of \(known.joined(separator: ", ")), or left out.")
  }

  /// A stream key, where this node can make one.
  func streamKey(_ claims: Claims, now: Int64) throws(APIError) -> String {
    guard let issuer = parts.issuer else {
      throw APIError(
        501, "no_secret",
        "This node has no secret (auth.secret) to sign stream keys with; tokens come from elsewhere."
      )
    }
    let token: String
    do throws(KeyError) {
      token = try issuer.token(claims, issued: now)
    } catch {
      throw APIError(400, "bad_field", "\(error)")
    }
    guard token.utf8.count <= TokenVerifier.maxTokenBytes else {
      throw APIError(400, "bad_field", "plan and user_id are too long for a stream key.")
    }
    return token
  }

  /// The one name of a stream; it holds a slash, so that no two streams share it.
  static func streamID(_ wedding: String, _ camera: String) -> String { "\(wedding)/\(camera)" }

  static var defaultKeyLifetime: Int64 { defaultLifetime }

  static func lifetime(_ text: String?) throws(APIError) -> Int64 {
    guard let text else { return defaultLifetime }
    guard let seconds = Int64(text), lifetimes.contains(seconds) else {
      throw APIError(
        400, "bad_field",
        "expires_in must be whole seconds, \(lifetimes.lowerBound) to \(lifetimes.upperBound).")
    }
    return seconds
  }
}
