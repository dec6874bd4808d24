import Bytes
package import HLS

/// A key that a stream's segments are encrypted with, and the name that viewers ask for it by.
package struct StreamKeyMaterial: Sendable, Equatable {
  /// Random; never used again.
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

  /// Makes one from the system's random source.
  ///
  /// - Parameter wedding: whose viewers may have it.
  /// - Returns: a key of 128 random bits, with a name of 100.
  package static func random(wedding: String) -> StreamKeyMaterial {
    var source = SystemRandomNumberGenerator()
    return StreamKeyMaterial(
      id: RandomName.make(20),
      bytes: (0..<16).map { _ in UInt8(truncatingIfNeeded: source.next()) }, wedding: wedding)
  }
}
