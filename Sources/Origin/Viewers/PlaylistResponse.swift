package import HLS
import HTTPServer

/// A playlist as viewers get it: made once for those without a token, spliced for those with one.
package struct PlaylistResponse: Sendable {
  let text: PlaylistText
  /// For everybody.
  private let shared: PreparedResponse
  /// The same for those who have a token, which no cache may give to others.
  private let restricted: PreparedResponse
  private let maximumAge: Int

  /// Makes a response of a playlist's text.
  ///
  /// - Parameters:
  ///   - text: of the playlist.
  ///   - maximumAge: how long a cache may keep it, in seconds.
  ///   - staleSeconds: how much longer it may be given out while a new one is fetched.
  ///   - tag: names this text among all that this address ever had; nil for one that is asked for once.
  package init(_ text: PlaylistText, maximumAge: Int, staleSeconds: Int = 0, tag: String?) {
    self.text = text
    self.maximumAge = maximumAge
    let stale = staleSeconds > 0 ? ", stale-while-revalidate=\(staleSeconds)" : ""
    func response(_ cacheControl: String) -> PreparedResponse {
      PreparedResponse(
        fields: [
          ("content-type", PlaylistText.contentType), ("cache-control", cacheControl),
        ], body: text.plain, gzipped: text.gzipped, entityTag: tag)
    }
    shared = response("public, max-age=\(maximumAge)\(stale)")
    restricted = response("private, max-age=\(maximumAge)")
  }

  /// The playlist for somebody: shared, or spliced with the token that it is to hand on.
  func response(for audience: Audience) -> PreparedResponse {
    switch audience {
    case .everybody: return shared
    case .holder(_, inQuery: false): return restricted
    case .holder(let token, inQuery: true):
      let query = Array("token=".utf8) + token
      guard let body = text.text(withQuery: query.span) else { return restricted }
      return PreparedResponse(
        fields: [
          ("content-type", PlaylistText.contentType),
          ("cache-control", "private, max-age=\(maximumAge)"),
        ], body: body)
    }
  }
}
