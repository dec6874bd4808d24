import CFFmpeg
import Media

/// What MP4 files call codecs.
enum MovieCodec {
  /// Whether an MP4 file can have it, and players would know it.
  static func isTaken(_ codec: Codec) -> Bool { id(codec) != nil }

  static func id(_ codec: Codec) -> AVCodecID? {
    switch codec {
    case .h264: AV_CODEC_ID_H264
    case .h265: AV_CODEC_ID_HEVC
    case .av1: AV_CODEC_ID_AV1
    case .vp9: AV_CODEC_ID_VP9
    case .aac: AV_CODEC_ID_AAC
    case .mp3: AV_CODEC_ID_MP3
    case .opus: AV_CODEC_ID_OPUS
    case .ac3: AV_CODEC_ID_AC3
    case .eac3: AV_CODEC_ID_EAC3
    case .flac: AV_CODEC_ID_FLAC
    // libavformat 59 has no VVC in MP4, and VP8 has no place in it.
    case .vvc, .vp8: nil
    case .h263, .screenVideo, .vp6, .pcm, .adpcm, .nellymoser, .speex, .g711: nil
    }
  }

  /// The tag of its sample entry, where libavformat would choose another one than players like.
  static func tag(_ codec: Codec) -> UInt32 {
    // `hev1` is what libavformat takes; Safari plays `hvc1` alone.
    codec == .h265 ? wl_tag(104, 118, 99, 49) : 0
  }
}
