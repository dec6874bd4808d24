/// `player`: the page at `/watch/{wedding}`.
struct PlayerSection: Equatable, Sendable {
  /// Where hls.js comes from, for browsers that can't play HLS themselves.
  var hlsJS = "https://cdn.jsdelivr.net/npm/hls.js@1.7.4/dist/hls.min.js"
  /// The Subresource Integrity value of that file.
  var hlsJSIntegrity: String?
}
