/// What caches in front of viewers know objects by, to forget all of a wedding at once.
package enum CacheTags {
  /// The fields of whatever is a wedding's: `Surrogate-Key` is what edges and Fastly read,
  /// `Cache-Tag` what Cloudflare does.
  package static func fields(ofWedding wedding: String) -> [(name: String, value: String)] {
    wedding.isEmpty ? [] : [("surrogate-key", wedding), ("cache-tag", wedding)]
  }
}
