import Media
import RTMP

/// `onMetaData` of a stream, made from its sequence headers.
struct PublishMetadata {
  private var members: AMFObject = ["encoder": .string("wedlive/\(Version.current)")]

  /// Makes one that knows no headers yet.
  ///
  /// - Parameter videoBitrate: what the encoder of the pictures is set to, in bits per second; nil
  ///   where they are sent as they are.
  init(videoBitrate: Int? = nil) {
    // Servers with a ladder make no quality with more bits than the source has.
    guard let videoBitrate else { return }
    members.append("videodatarate", .number(Double(videoBitrate) / 1_000))
  }

  /// Looks at a tag; whether it is a sequence header, which comes before all frames.
  mutating func take(_ tag: FLVTag) -> Bool {
    var isHeader = false
    let body = tag.body.span
    switch tag.kind {
    case .video:
      try? VideoTag.parse(body) { video in
        guard video.content == .sequenceStart else { return }
        isHeader = true
        members.append("videocodecid", video.codec == .h264 ? 7 : 0)
        guard let record = try? AVCDecoderConfiguration(body.extracting(video.body)),
          let picture = record.picture
        else { return }
        members.append("width", .number(Double(picture.width)))
        members.append("height", .number(Double(picture.height)))
        if let rate = picture.frameRate { members.append("framerate", .number(rate)) }
      }
    case .audio:
      try? AudioTag.parse(body) { audio in
        guard audio.content == .sequenceStart else { return }
        isHeader = true
        members.append("audiocodecid", audio.codec == .aac ? 10 : 0)
        guard let config = try? AudioSpecificConfig(body.extracting(audio.body)) else { return }
        members.append("audiosamplerate", .number(Double(config.sampleRate)))
        members.append("stereo", .boolean(config.channels > 1))
      }
    case .script: return true
    }
    return isHeader
  }

  /// What is known by now.
  var object: AMFObject { members }
}
