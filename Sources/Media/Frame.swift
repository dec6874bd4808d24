/// One coded picture, or one packet of coded sound, with its times.
///
/// The payload is the message it came in, unchanged: the elementary data starts at `payloadOffset`,
/// so nothing is copied to take a tag header away. Frames of H.264, H.265 and VVC are
/// length-prefixed NAL units, as in MP4 and FLV; AAC is raw, without ADTS.
package struct Frame: Sendable, Equatable {
  package var track: Track
  package var codec: Codec
  /// Which of several video or audio tracks of an E-RTMP stream; 0 is the main one.
  package var trackID: UInt8
  /// Whether decoding can start here; always true for sound.
  package var isKeyframe: Bool
  /// When to decode it: never decreasing within a track after `TimestampUnwrapper`.
  package var dts: MediaTime
  /// When to show it; at or after `dts`, unless the publisher is wrong.
  package var pts: MediaTime
  package var payload: [UInt8]
  /// Where in `payload` the elementary data starts: 0...payload.count.
  package var payloadOffset: Int

  @inlinable package init(
    track: Track, codec: Codec, dts: MediaTime, pts: MediaTime, isKeyframe: Bool,
    payload: [UInt8], payloadOffset: Int = 0, trackID: UInt8 = 0
  ) {
    self.track = track
    self.codec = codec
    self.trackID = trackID
    self.isKeyframe = isKeyframe
    self.dts = dts
    self.pts = pts
    self.payload = payload
    self.payloadOffset = min(max(0, payloadOffset), payload.count)
  }

  /// How many bytes of elementary data it has.
  @inlinable package var byteCount: Int { payload.count - payloadOffset }

  /// What keeping it costs, in bytes: its payload, its fields and what an array of its own takes.
  @inlinable package var keptBytes: Int { payload.count + 128 }
}
