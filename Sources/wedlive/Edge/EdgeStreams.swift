import Access
import Edge

/// What makes an edge one of a cluster: it knows streams, and who may watch them.
struct EdgeStreams: Sendable {
  let live: EdgeLive
  let verifier: TokenVerifier
  let needsToken: Bool
  let rememberedTokens: Int
  let plans: Plans
  /// Finds recordings; nil where any upstream has all of them.
  let recordings: RecordingLocator?
}
