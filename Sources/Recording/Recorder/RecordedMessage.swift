/// A message of a stream on its way to a recording, as it was received.
package struct RecordedMessage: Sendable, Equatable {
  /// What it is to whoever plays the recording.
  package enum Role: UInt8, Sendable {
    /// The stream's description, `onMetaData`.
    case metadata
    /// How pictures are coded, and how sound is: each part of a recording begins with them.
    case videoHeader, audioHeader
    /// A picture that decoding can start with.
    case keyframe
    case video, audio
    /// Cue points, captions and the like.
    case data

    /// Whether it says how others are to be read, and has no time of its own.
    var isHeader: Bool { self == .metadata || self == .videoHeader || self == .audioHeader }
  }

  package var role: Role
  /// In milliseconds, as the publisher counts them; wraps.
  package var timestamp: UInt32
  /// The body of the message, which is the body of an FLV tag.
  package var payload: [UInt8]

  package init(_ role: Role, timestamp: UInt32, payload: [UInt8]) {
    self.role = role
    self.timestamp = timestamp
    self.payload = payload
  }

  /// What keeping it costs, in bytes: its payload, its fields and what an array of its own takes.
  var keptBytes: Int { payload.count + 128 }
}
