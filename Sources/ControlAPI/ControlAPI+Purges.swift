import HTTPServer
import HTTPTypes
import Logging

extension ControlAPI {
  private struct Purge: Encodable {
    let weddingId: String
    let queued = true
    let path: String?
    let prefix: String?
    let soft: Bool
  }

  /// `POST /api/streams/{wedding_id}/purge`: edges and the CDN forget what they have of a wedding,
  /// or the `path` or `prefix` that is named.
  ///
  /// 202: it is queued, and done by whichever node's turn it is.
  func purge(_ call: Call) async throws(APIError) -> APIResponse {
    try requireService(call)
    let wedding = try Self.name(call.parts[2], "wedding_id")
    let values = try call.values()
    // A slip of the pen would purge all of a wedding.
    if let stranger = values.keys.first(where: { !["path", "prefix", "soft"].contains($0) }) {
      throw APIError(
        400, "bad_purge", "\(stranger) is no name here: there are path, prefix and soft.")
    }
    let target: PurgeTarget
    switch (values["path"], values["prefix"]) {
    case (nil, nil): target = .everything
    case (let path?, nil): target = .path(try Self.place(path, "path", ofWedding: wedding))
    case (nil, let prefix?):
      target = .prefix(try Self.place(prefix, "prefix", ofWedding: wedding))
    case (_?, _?):
      throw APIError(400, "bad_purge", "Give path or prefix, not both.")
    }
    let isSoft: Bool
    switch values["soft"] {
    case nil, "false", "0": isSoft = false
    case "true", "1": isSoft = true
    default: throw APIError(400, "bad_purge", "soft is true or false.")
    }
    guard let purges = parts.purges else { throw Self.nobodyKeepsAnything }
    try await purges.purge(wedding, target, isSoft: isSoft, reason: "api")
    return .json(
      Purge(
        weddingId: wedding, path: values["path"], prefix: values["prefix"], soft: isSoft),
      status: .accepted)
  }

  /// `GET /api/streams/purges`: how the queue stands, and what was given up.
  func purges(_ call: Call) async throws(APIError) -> APIResponse {
    try requireService(call)
    guard let purges = parts.purges else { throw Self.nobodyKeepsAnything }
    return .json(try await purges.status())
  }

  private static let nobodyKeepsAnything = APIError(
    409, "no_caches",
    "This node has no CDN (cdn.provider) and no cluster (redis.url) whose caches it could tell.")

  /// An address under the wedding's own.
  private static func place(
    _ text: String, _ field: String, ofWedding wedding: String
  ) throws(APIError) -> String {
    guard text.hasPrefix("/hls/\(wedding)/") else {
      throw APIError(400, "bad_purge", "\(field) must begin with /hls/\(wedding)/.")
    }
    return text
  }

  /// Has caches forget what a change has made wrong.
  ///
  /// - Throws: 503 where that isn't queued; the change itself is made, and making it again does no
  ///   harm.
  func purge(
    after change: String, of wedding: String, isSoft: Bool
  ) async throws(APIError) {
    guard let purges = parts.purges else { return }
    do throws(APIError) {
      try await purges.purge(wedding, .everything, isSoft: isSoft, reason: change)
    } catch {
      parts.log.error(
        "caches not told",
        metadata: ["wedding": "\(wedding)", "after": "\(change)", "error": "\(error.message)"])
      throw APIError(
        503, "not_purged",
        "It is done, but caches can't be told now, and may serve what they have; try again.")
    }
  }
}
