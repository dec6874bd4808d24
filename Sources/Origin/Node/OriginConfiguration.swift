package import Ingest

/// What an origin does and how much of it.
package struct OriginConfiguration: Sendable {
  package var streams = StreamConfiguration()
  package var ingest = IngestConfiguration()
  /// How many streams the node takes at once.
  package var maximumStreams = 1_000
  /// Whether viewers and players need a token.
  package var watchNeedsToken = false
  /// How many verified tokens each loop remembers.
  package var rememberedTokens = 4_096

  package init() {}
}
