package import HLS

/// A key that a stream's segments are encrypted with, and the name that viewers ask for it by.
package struct StreamKeyMaterial: Sendable, Equatable {
  /// Never used again.
  package let id: String
  /// 16 bytes.
  package let bytes: [UInt8]
  /// What playlists say of it.
  package let segmentKey: SegmentKey

  package init(id: String, bytes: [UInt8], wedding: String) {
    self.id = id
    self.bytes = bytes
    segmentKey = SegmentKey(uri: "/api/streams/keys/\(wedding)/\(id).key")
  }
}
