import CFFmpeg

/// Finds out whether libavcodec encodes H.264 with what was configured, without a picture.
///
/// A worker would find it out only when the first stream comes, and be lost again and again.
package enum EncoderCheck {
  /// What of the configuration is at fault.
  package enum Part: Equatable, Sendable { case encoder, preset, tune }

  /// Opens the encoder and closes it; costs some milliseconds.
  ///
  /// An encoder of the machine's own hardware isn't opened: that would take a place on it.
  ///
  /// - Returns: the part that can't be used and why; nil where all can.
  package static func problem(
    encoder: String, preset: String, tune: String
  ) -> (part: Part, words: String)? {
    if let codec = unsafe VideoEncoder.find(encoder),
      unsafe codec.pointee.id != AV_CODEC_ID_H264
    {
      let name = unsafe String(cString: avcodec_get_name(codec.pointee.id))
      return (.encoder, "encodes \(name), not H.264")
    }
    LibavLog.capture()
    // What was configured comes in step by step, so that the one at fault is known.
    var settings = VideoSettings(width: 320, height: 180, bitrate: 400_000)
    settings.encoder = encoder
    settings.tune = ""
    if let words = words(settings) { return (.encoder, words) }
    settings.preset = preset
    if let words = words(settings) { return (.preset, words) }
    settings.tune = tune
    return words(settings).map { (.tune, $0) }
  }

  private static func words(_ settings: VideoSettings) -> String? {
    do throws(TranscodeError) {
      try VideoEncoder.check(settings)
      return nil
    } catch {
      return error.message
    }
  }
}
