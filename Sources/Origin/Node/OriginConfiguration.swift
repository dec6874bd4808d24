package import Ingest

/// What an origin does and how much of it.
package struct OriginConfiguration: Sendable {
  package var streams = StreamConfiguration()
  package var ingest = IngestConfiguration()
  /// How many streams the node takes at once.
  package var maximumStreams = 1_000
  /// Of how many streams what is sent is counted one by one.
  package var countedStreams = 1_000
  /// Before a wedding's program is asked for again that another node has.
  package var programPause = Duration.seconds(2)
  /// What the segments of all streams may take in memory, in bytes; 0 for half of what there is.
  package var memoryBytes = 0
  /// Whether viewers and players need a token.
  package var watchNeedsToken = false
  /// Whether who says that a stream goes on has to show a certificate of the cluster's, too.
  package var peersAreCertified = false
  /// How many verified tokens each loop remembers, some 500 bytes each: as many as viewers with
  /// tokens of their own, or every request verifies a signature.
  package var rememberedTokens = 16_384

  /// Where segments are kept that are too old for the memory, with `streams.dvrWindow`.
  package var dvrFolder: String?
  /// What may wait to be written there, in bytes.
  package var dvrBufferBytes = 256 << 20
  /// What must stay free on its disk.
  package var dvrReserveBytes = 256 << 20

  package init() {}
}
