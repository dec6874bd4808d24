import Bytes
import Media
import Recording

/// Writes what an encoder gives as the FLV tags that a publisher would have sent.
///
/// An encoder that is replaced gives some frames once more and then others that don't follow on the
/// old ones: until its first keyframe after the last frame nothing is taken.
struct RungTags {
  private var video: RecordedMessage?
  private var audio: RecordedMessage?
  private var lastVideo: MediaTime?
  private var lastAudio: MediaTime?
  private var awaitsKeyframe = true

  /// How the tracks are coded, as far as that is known.
  var headers: [RecordedMessage] { [video, audio].compactMap { $0 } }

  /// An encoder has said how it encodes.
  ///
  /// - Returns: the tag; nil for a codec that isn't recorded.
  mutating func configure(_ configuration: TrackConfiguration) -> RecordedMessage? {
    switch configuration.codec {
    case .h264:
      awaitsKeyframe = true
      video = RecordedMessage(
        .videoHeader, timestamp: 0, payload: [0x17, 0, 0, 0, 0] + configuration.record)
      return video
    case .aac:
      audio = RecordedMessage(
        .audioHeader, timestamp: 0, payload: [0xAF, 0] + configuration.record)
      return audio
    default: return nil
    }
  }

  /// A frame as a tag; nil for one that is there already, or that can't be shown.
  mutating func message(_ frame: Frame) -> RecordedMessage? {
    let time = UInt32(truncatingIfNeeded: frame.dts.milliseconds)
    switch frame.codec {
    case .h264:
      if let lastVideo, frame.dts <= lastVideo { return nil }
      guard frame.isKeyframe || !awaitsKeyframe else { return nil }
      awaitsKeyframe = false
      lastVideo = frame.dts
      var payload: [UInt8] = [frame.isKeyframe ? 0x17 : 0x27, 1]
      payload.reserveCapacity(frame.byteCount + 5)
      let offset = Int32(clamping: (frame.pts - frame.dts).milliseconds)
      payload.append(u24: UInt32(bitPattern: offset) & 0xFF_FFFF)
      payload += frame.payload[frame.payloadOffset...]
      return RecordedMessage(
        frame.isKeyframe ? .keyframe : .video, timestamp: time, payload: payload)
    case .aac:
      if let lastAudio, frame.dts <= lastAudio { return nil }
      lastAudio = frame.dts
      return RecordedMessage(
        .audio, timestamp: time, payload: [0xAF, 1] + frame.payload[frame.payloadOffset...])
    default: return nil
    }
  }
}
