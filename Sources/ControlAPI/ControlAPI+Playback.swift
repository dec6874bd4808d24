import Access
import HTTPServer
import HTTPTypes

extension ControlAPI {
  private struct Playback: Encodable {
    let weddingId: String
    let isLive: Bool
    let locked: Bool
    let state: String
    let startedAt: Int64?
    let viewers: Int?
    let nginxStream: NginxStream
  }

  /// `GET /api/streams/playback/{wedding_id}`: where to watch, and whether it is live.
  ///
  /// A viewer asks with a watch token (or none, where watching is public) and gets no stream key;
  /// the backend asks with a service token and gets a fresh one, where this node can make keys.
  func playback(_ call: Call) async throws(APIError) -> APIResponse {
    let wedding = try Self.name(call.parts.last, "wedding_id")
    let camera = Claims.mainCamera
    let isService = try admitToPlayback(call, wedding)
    let info = await parts.directory.stream(wedding: wedding, camera: Claims.programCamera)
    var stream = NginxStream(
      streamKey: nil, rtmpUrl: nil,
      hlsPlaybackUrl: call.addresses.playlist(wedding: wedding, camera: nil),
      streamId: Self.streamID(wedding, camera))
    if isService {
      stream.rtmpUrl = call.addresses.rtmp
      if parts.issuer != nil {
        let now = parts.now()
        stream.streamKey = try streamKey(
          Claims(
            scope: .publish, wedding: wedding, camera: camera,
            expires: now + Self.defaultKeyLifetime), now: now)
      }
    }
    var answer = APIResponse.json(
      Playback(
        weddingId: wedding, isLive: info?.isLive ?? false,
        locked: parts.locks.contains(wedding),
        state: info?.state.rawValue ?? "offline", startedAt: info?.started,
        viewers: info?.viewers, nginxStream: stream))
    if !isService { answer.response.headerFields[.accessControlAllowOrigin] = "*" }
    return answer
  }

  /// Whether a service, or else a viewer, may ask.
  ///
  /// - Returns: whether it is a service.
  func admitToPlayback(_ call: Call, _ wedding: String) throws(APIError) -> Bool {
    guard let token = call.viewerToken else {
      if parts.watchNeedsToken { throw APIError(Refusal(.missing)) }
      return false
    }
    do throws(Refusal) {
      let claims = try parts.verifier.verify(Array(token.utf8), now: parts.now())
      // A service token in an address would stand in logs: only the header's counts.
      if claims.scope == .service, call.bearer == token { return true }
      try claims.check(.watch(wedding: wedding, camera: nil))
      return false
    } catch {
      // Where watching is public, a stale or foreign token is no reason to refuse.
      if !parts.watchNeedsToken { return false }
      throw APIError(error)
    }
  }
}
