import Access
import HTTPServer
import HTTPTypes
import Logging

extension ControlAPI {
  private struct Lock: Encodable {
    let weddingId: String
    let locked: Bool
  }

  /// `POST /api/streams/{wedding_id}/lock` and `/unlock`: playlists, segments and keys of a locked
  /// wedding are for watch tokens with the claim `unlocked` alone.
  func setLock(_ call: Call, isLocked: Bool) async throws(APIError) -> APIResponse {
    try requireService(call)
    let wedding = try Self.name(call.parts[2], "wedding_id")
    do {
      try await parts.locks.change(wedding, isLocked: isLocked)
    } catch {
      parts.log.error(
        "lock not kept", metadata: ["wedding": "\(wedding)", "error": "\(error)"])
      throw .unavailable("not_kept", "The lock can't be kept now", error)
    }
    // What was public a moment ago is in caches that know of no lock.
    if isLocked { try await purge(after: "locked", of: wedding, isSoft: false) }
    return .json(Lock(weddingId: wedding, locked: isLocked))
  }
}
