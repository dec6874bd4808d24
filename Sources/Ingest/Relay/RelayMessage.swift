package import RTMP

/// One message of a live stream on its way to players, with what it is to a decoder.
package struct RelayMessage: Sendable {
  package enum Role: Equatable, Sendable {
    case metadata
    case videoHeader
    case audioHeader
    /// A picture that decoding can start from.
    case keyframe
    case video
    case audio
    /// Anything else, such as a cue point: for those who are there when it comes.
    case data

    /// Whether a decoder needs it before anything else.
    var isHeader: Bool {
      switch self {
      case .metadata, .videoHeader, .audioHeader: true
      case .keyframe, .video, .audio, .data: false
      }
    }
  }

  package let role: Role
  package let message: Message
  /// Its bytes on the wire, once a loop has made them for its players.
  let image: WireImage?

  package init(_ role: Role, _ message: Message) { self.init(role, message, image: nil) }

  init(_ role: Role, _ message: Message, image: WireImage?) {
    self.role = role
    self.message = message
    self.image = image
  }

  var keptBytes: Int { message.keptBytes }
}
