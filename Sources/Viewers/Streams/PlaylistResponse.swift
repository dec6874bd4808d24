package import HLS
import HTTPServer

/// A playlist as viewers get it: made once for those without a token; those with one get it
/// with that in every address.
package struct PlaylistResponse: Sendable {
  package let text: PlaylistText
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
  ///   - wedding: whose it is; caches are told to forget it by that.
  ///   - tag: names this text among all that this address ever had; nil for one that is asked for
  ///     once.
  package init(
    _ text: PlaylistText, maximumAge: Int, staleSeconds: Int = 0, wedding: String = "", tag: String?
  ) {
    self.text = text
    self.maximumAge = maximumAge
    let stale = staleSeconds > 0 ? ", stale-while-revalidate=\(staleSeconds)" : ""
    func response(
      _ cacheControl: String, _ tags: [(name: String, value: String)] = []
    ) -> PreparedResponse {
      PreparedResponse(
        fields: [
          ("content-type", PlaylistText.contentType), ("cache-control", cacheControl),
        ] + tags, body: text.plain, gzipped: text.gzipped, entityTag: tag)
    }
    shared = response("public, max-age=\(maximumAge)\(stale)", CacheTags.fields(ofWedding: wedding))
    restricted = response("private, max-age=\(maximumAge)")
  }

  /// From this size on it is put together as it is sent: no viewer's copy stands whole in memory.
  private static let longBytes = 64 << 10

  /// The playlist for somebody: shared, or with the token that it is to hand on.
  ///
  /// Complexity O(1), or O(length) for one that is short.
  func response(for audience: Audience) -> ReadyResponse {
    switch audience {
    case .everybody: return .prepared(shared)
    case .holder(_, inQuery: false): return .prepared(restricted)
    case .holder(let token, inQuery: true):
      let query = Array("token=".utf8) + token
      guard var pieces = text.addressed.pieces(withQuery: query.span) else {
        return .prepared(restricted)
      }
      let fields = [
        (name: "content-type", value: PlaylistText.contentType),
        (name: "cache-control", value: "private, max-age=\(maximumAge)"),
      ]
      let length = pieces.remaining
      guard length < Self.longBytes else {
        return .streamed(
          StreamedResponse(
            status: 200, fields: fields + PreparedResponse.anyOrigin, contentLength: length,
            source: AddressedBody(pieces)))
      }
      return .prepared(PreparedResponse(fields: fields, body: pieces.next(length) ?? []))
    }
  }
}
