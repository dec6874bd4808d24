package import Ingest

/// What an origin does and how much of it.
package struct OriginConfiguration: Sendable {
  package var streams = StreamConfiguration()
  package var ingest = IngestConfiguration()
  /// How many streams the node takes at once.
  package var maximumStreams = 1_000
  /// Whether viewers and players need a token.
  package var watchNeedsToken = false
  /// How many verified tokens each loop remembers, some 500 bytes each: as many as viewers with
  /// tokens of their own, or every request verifies a signature.
  package var rememberedTokens = 16_384

  package init() {}
}
