import Ingest
import Media
import RTMP

/// What a message is to a decoder that starts with it.
enum MessageRole: Equatable {
  case metadata
  /// A decoder needs it before the track's other messages; the number says of which track it is.
  case header(UInt16)
  /// A picture that decoding can start from.
  case keyframe
  case video
  case audio
  /// Anything else, such as a cue point.
  case data

  /// The AMF0 string that a stream's description starts with.
  private static let metadataName = [0x02, 0x00, 0x0A] + Array("onMetaData".utf8)

  init(_ kind: PublishSink.Kind, _ payload: [UInt8]) {
    switch kind {
    case .data: self = payload.starts(with: Self.metadataName) ? .metadata : .data
    case .video: self = Self.video(payload)
    case .audio: self = Self.audio(payload)
    }
  }

  /// A message that can't be read is a picture that nothing starts with: the origin judges it.
  private static func video(_ payload: [UInt8]) -> MessageRole {
    var role = MessageRole.video
    try? VideoTag.parse(payload.span) { tag in
      switch tag.content {
      case .sequenceStart: if role == .video { role = .header(0x100 | UInt16(tag.trackID)) }
      case .metadata: if role == .video { role = .header(0x200 | UInt16(tag.trackID)) }
      case .frame:
        if tag.isKeyframe, tag.trackID == 0, !tag.body.isEmpty { role = .keyframe }
      case .sequenceEnd, .multichannel, .other: break
      }
    }
    return role
  }

  private static func audio(_ payload: [UInt8]) -> MessageRole {
    var role = MessageRole.audio
    try? AudioTag.parse(payload.span) { tag in
      switch tag.content {
      case .sequenceStart: if role == .audio { role = .header(0x400 | UInt16(tag.trackID)) }
      case .multichannel: if role == .audio { role = .header(0x800 | UInt16(tag.trackID)) }
      case .frame, .sequenceEnd, .metadata, .other: break
      }
    }
    return role
  }
}
