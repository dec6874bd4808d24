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

/// What has to be known of a track before its movie can be begun.
struct MovieTrack: Sendable {
  var configuration: TrackConfiguration
  /// Of coded pixels, with the shape of one of them.
  var width = 0
  var height = 0
  var pixelShape = (numerator: 1, denominator: 1)
  /// As libav numbers it; VP9's record needs it.
  var pixelFormat: CInt = -1
  var sampleRate = 0
  var channels = 0
  /// Of each packet of sound; 0 if they differ.
  var packetSamples = 0

  var codec: Codec { configuration.codec }

  /// Fills what the record says; `probe` finds out the rest.
  init(_ configuration: TrackConfiguration) {
    self.configuration = configuration
    width = configuration.size?.width ?? 0
    height = configuration.size?.height ?? 0
    switch configuration.details {
    case .aac(let aac):
      sampleRate = aac.sampleRate
      channels = aac.channels
      packetSamples = aac.samplesPerFrame
    case .avc, .hevc, .named:
      sampleRate = configuration.sampleRate ?? 0
      channels = configuration.channels ?? 0
    }
  }

  /// Whether a movie can be begun with it.
  var isKnown: Bool {
    switch codec.track {
    case .video: width > 0 && height > 0
    case .audio: sampleRate > 0 && channels > 0
    }
  }

  /// Decodes a first frame, which tells what no record does; a broken one tells nothing.
  mutating func probe(_ frame: Frame) {
    guard
      var decoder = try? CodecContext.decoder(
        configuration.codec, record: configuration.record),
      var packet = try? MediaPacket(), var decoded = try? MediaFrame(),
      (try? packet.fill(
        frame.payload.span.extracting(droppingFirst: frame.payloadOffset), pts: 0, dts: 0)) != nil
    else { return }
    packet.markKey()
    guard (try? decoder.decode(packet)) == true, (try? decoder.finishDecoding()) != nil,
      (try? decoder.receive(&decoded)) == .ready
    else { return }
    switch codec.track {
    case .video:
      width = decoded.width
      height = decoded.height
      pixelFormat = decoded.format
      let shape = unsafe decoded.pointer.pointee.sample_aspect_ratio
      if shape.num > 0, shape.den > 0, shape.num < 256, shape.den < 256 {
        pixelShape = (Int(shape.num), Int(shape.den))
      }
    case .audio:
      // What AAC's record says is of its core, which MP4 wants to have.
      guard codec != .aac else { return }
      sampleRate = decoded.sampleRate
      channels = decoded.channelCount
      if codec == .mp3 || codec == .ac3 || codec == .eac3 { packetSamples = decoded.sampleCount }
    }
  }
}
