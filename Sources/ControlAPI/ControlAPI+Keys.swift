import Access
import HTTPServer
import HTTPTypes
import Logging
import Telemetry

extension ControlAPI {
  /// How long calls are counted together.
  static let keyWindowSeconds: Int64 = 10
  /// Requests without a right to a key that one address has answered in a window.
  static let wrongKeyRequests = 100

  private struct Rotation: Encodable {
    let weddingId: String
    let streams: Int
  }

  /// `GET /api/streams/keys/{wedding}/{key}.key`: the 16 bytes that segments are decrypted with.
  ///
  /// A watch token of that wedding, and of that camera where it names one, is needed wherever
  /// watching needs one.
  func key(_ call: Call) async throws(APIError) -> APIResponse {
    let answer: APIResponse
    do throws(APIError) {
      answer = try await keyAnswer(call)
    } catch {
      count(keys: error.code)
      throw error
    }
    count(keys: "served")
    return answer
  }

  private func keyAnswer(_ call: Call) async throws(APIError) -> APIResponse {
    let wedding = try Self.name(call.parts[3], "wedding_id")
    let claims = try admitToKeys(call, wedding)
    let file = call.parts[4]
    guard let keys = parts.keys, file.hasSuffix(".key") else { throw Self.noKey }
    let key: GivenStreamKey?
    do {
      key = try await keys.key(String(file.dropLast(4)), ofWedding: wedding)
    } catch {
      parts.log.error(
        "key not found out", metadata: ["wedding": "\(wedding)", "error": "\(error)"])
      throw .unavailable("keys_unavailable", "The key can't be looked up now", error)
    }
    guard let key else { throw Self.noKey }
    do throws(Refusal) {
      // The program shows the segments of cameras; who may watch that alone gets none of theirs.
      if claims?.camera != Claims.programCamera {
        try claims?.check(.watch(wedding: wedding, camera: key.camera))
      }
    } catch {
      try limitWrong(call)
      throw APIError(error)
    }
    var response = HTTPResponse(status: .ok)
    response.headerFields[.contentType] = "application/octet-stream"
    response.headerFields[.cacheControl] = "private, no-store"
    return APIResponse(response, body: key.bytes)
  }

  private static let noKey = APIError(
    404, "no_key", "This wedding has no such key, or nobody needs it any more.")

  /// Lets those through who may have the wedding's keys.
  ///
  /// Guests may share a link and an address: what bounds those who may watch is for a hall of them.
  /// Who may not is bounded apart, and locks out nobody else.
  ///
  /// - Returns: what the viewer's token says; nil where none is needed.
  private func admitToKeys(_ call: Call, _ wedding: String) throws(APIError) -> Claims? {
    var hasher = Hasher()
    hasher.combine(call.client)
    var admitted: Claims?
    let isLocked = parts.locks.contains(wedding)
    if parts.watchNeedsToken || isLocked {
      let token = call.viewerToken ?? ""
      do throws(Refusal) {
        admitted = try parts.verifier.verify(
          Array(token.utf8), for: .watch(wedding: wedding, camera: nil, isLocked: isLocked),
          now: parts.now())
      } catch {
        try limitWrong(call)
        throw APIError(error)
      }
      hasher.combine(token)
    }
    try limit(keyLimiter, hasher.finalize())
    return admitted
  }

  private func limitWrong(_ call: Call) throws(APIError) {
    var hasher = Hasher()
    hasher.combine(call.client)
    try limit(wrongKeyLimiter, hasher.finalize())
  }

  private func limit(_ limiter: CallLimiter, _ client: Int) throws(APIError) {
    guard let seconds = limiter.wait(client, now: parts.now()) else { return }
    throw APIError(
      429, "too_many_keys", "Too many keys were asked for; wait \(seconds) s.",
      retryAfter: seconds)
  }

  /// `POST /api/streams/keys/rotate/{wedding_id}`: another key from the next segment on.
  func rotateKeys(_ call: Call) async throws(APIError) -> APIResponse {
    try requireService(call)
    let wedding = try Self.name(call.parts.last, "wedding_id")
    guard let keys = parts.keys else {
      throw APIError(409, "not_encrypted", "This node encrypts no streams (encryption.method).")
    }
    let streams = try await keys.rotate(wedding: wedding)
    guard streams > 0 else {
      throw APIError(404, "not_live", "Nobody publishes this wedding here now.")
    }
    try await purge(after: "key_rotated", of: wedding, isSoft: true)
    return .json(Rotation(weddingId: wedding, streams: streams))
  }

  private func count(keys outcome: String) {
    parts.metrics.counter(
      "wedlive_stream_keys_total", help: "Requests for stream keys, by what came of them.",
      labels: ["outcome": outcome]
    ).increment()
  }
}
