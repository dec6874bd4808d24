import CFFmpeg
import Media

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
