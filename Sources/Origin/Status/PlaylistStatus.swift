/// A stream's live window.
package struct PlaylistStatus: Codable, Equatable, Sendable {
  package var mediaSequence: UInt64
  package var segments: Int
  package var discontinuities: UInt64
  package var memoryBytes: Int

  package init(
    mediaSequence: UInt64, segments: Int, discontinuities: UInt64 = 0, memoryBytes: Int = 0
  ) {
    self.mediaSequence = mediaSequence
    self.segments = segments
    self.discontinuities = discontinuities
    self.memoryBytes = memoryBytes
  }

  enum CodingKeys: String, CodingKey {
    case mediaSequence = "media_sequence"
    case segments, discontinuities
    case memoryBytes = "memory_bytes"
  }
}
