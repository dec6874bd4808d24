package import HLS
package import HTTPServer

/// A playlist as viewers get it: made once for those without a token, spliced for those with one.
package struct PlaylistResponse: Sendable {
  let text: PlaylistText
  /// For viewers without a token.
  package let response: PreparedResponse
  private let maximumAge: Int
  private let tag: String

  /// Makes a response of a playlist's text.
  ///
  /// - Parameters:
  ///   - text: of the playlist.
  ///   - maximumAge: how long a cache may keep it, in seconds.
  ///   - staleSeconds: how much longer it may be given out while a new one is fetched.
  ///   - tag: names this text among all that this address ever had.
  package init(_ text: PlaylistText, maximumAge: Int, staleSeconds: Int = 0, tag: String) {
    self.text = text
    self.maximumAge = maximumAge
    self.tag = tag
    let stale = staleSeconds > 0 ? ", stale-while-revalidate=\(staleSeconds)" : ""
    response = PreparedResponse(
      fields: [
        ("content-type", PlaylistText.contentType),
        ("cache-control", "public, max-age=\(maximumAge)\(stale)"),
      ], body: text.plain, gzipped: text.gzipped, entityTag: tag)
  }

  /// The playlist with a query on each of its addresses, for the viewer who came with that query.
  ///
  /// - Parameter query: `token=…`, escaped; empty for the shared response.
  /// - Returns: the shared response where the query can't stand in an address.
  func response(query: borrowing Span<UInt8>) -> PreparedResponse {
    guard query.count > 0, let body = text.text(withQuery: query) else { return response }
    return PreparedResponse(
      fields: [
        ("content-type", PlaylistText.contentType),
        ("cache-control", "private, max-age=\(maximumAge)"),
      ], body: body)
  }
}
