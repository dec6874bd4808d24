import Access
import HTTPServer
import Logging

extension ControlAPI {
  private struct Admission: Encodable {
    let status = "ok"
    let weddingId: String
    let cameraId: String
    let streamId: String
    let plan: String?
    let expiresAt: Int64
  }

  private struct Noted: Encodable {
    let status = "ok"
  }

  /// `POST /api/streams/auth/publish`: whether a stream key may publish.
  ///
  /// Takes nginx-rtmp's form (`name`, and `token` of the stream's arguments) or JSON
  /// (`stream_key`). The key proves itself, so no service token is needed: whoever holds it learns
  /// only what it is good for.
  func authorizePublish(_ call: Call) throws(APIError) -> APIResponse {
    let asked = try AskedStream(try call.values())
    let claims: Claims
    do throws(Refusal) {
      claims = try parts.verifier.verify(
        Array(asked.key.utf8), for: .publish(wedding: asked.wedding, camera: asked.camera),
        now: parts.now())
    } catch {
      throw APIError(error)
    }
    let wedding = claims.wedding ?? ""
    let refusal = parts.cameras.refusal(
      of: CredentialDigest.of(asked.key.utf8), camera: claims.publishCamera, wedding: wedding)
    if let refusal { throw APIError(403, "camera_refused", "\(refusal).") }
    return .json(
      Admission(
        weddingId: wedding, cameraId: claims.publishCamera,
        streamId: Self.streamID(wedding, claims.publishCamera), plan: claims.plan,
        expiresAt: claims.expires))
  }

  /// `POST /api/streams/auth/publish_done`: a publisher has gone.
  ///
  /// The node knows of its own publishers; this is for a publisher elsewhere, and is written down.
  /// A key that has expired meanwhile is still its stream's.
  func notePublishDone(_ call: Call) throws(APIError) -> APIResponse {
    let asked = try AskedStream(try call.values())
    do throws(Refusal) {
      let claims = try parts.verifier.verify(
        Array(asked.key.utf8), for: .publish(wedding: asked.wedding, camera: asked.camera),
        now: parts.now())
      parts.log.info(
        "publisher elsewhere has gone",
        metadata: [
          "wedding": "\(claims.wedding ?? "")", "camera": "\(claims.publishCamera)",
        ])
    } catch {
      guard case .expired = error.reason else { throw APIError(error) }
    }
    return .json(Noted())
  }

  /// The stream and key that a call names: `name` is the key itself, or a wedding, or
  /// `wedding/camera` with the key in `token`.
  private struct AskedStream {
    let key: String
    var wedding: String?
    var camera: String?

    init(_ values: [String: String]) throws(APIError) {
      wedding = values["wedding_id"]
      camera = values["camera_id"]
      if let key = values["stream_key"] {
        self.key = key
      } else if let token = values["token"] {
        key = token
        if let name = values["name"], name != token {
          let parts = name.split(separator: "/").map(String.init)
          wedding = parts.first
          camera = parts.count > 1 ? parts[1] : camera
        }
      } else if let name = values["name"], !name.isEmpty {
        key = name
      } else {
        throw APIError(Refusal(.missing))
      }
    }
  }
}
