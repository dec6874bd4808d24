/// What a client wants or sends, in the order in which it came.
package enum ServerEvent: Equatable, Sendable {
  /// Answer with `acceptConnect` or `rejectConnect`.
  case connectRequested(ConnectRequest)
  /// Answer with `acceptPublish` or `rejectPublish`.
  case publishRequested(PublishRequest)
  /// Answer with `acceptPlay` or `rejectPlay`.
  case playRequested(PlayRequest)
  case audio(Message)
  case video(Message)
  /// An AMF0 data message. Its payload starts with the handler's name (`onMetaData`): what
  /// `@setDataFrame` puts before it is taken away, so it can be sent to players as it is.
  case data(Message)
  /// A player stops or goes on; `position` in milliseconds.
  case paused(streamID: UInt32, isPaused: Bool, position: UInt32)
  /// A stream was published or played, or asked to be, and the client ended it.
  case streamEnded(streamID: UInt32, EndReason)
}

/// How a client ended a stream.
package enum EndReason: String, Sendable {
  case unpublished, closed, deleted, replaced
}

package struct PublishRequest: Equatable, Sendable {
  package enum Kind: String, Sendable { case live, record, append }

  package let streamID: UInt32
  package let name: StreamName
  package let kind: Kind
}

package struct PlayRequest: Equatable, Sendable {
  package let streamID: UInt32
  package let name: StreamName
  /// As sent: negative is live; in seconds by the specification, milliseconds from ffmpeg.
  package let start: Double
  /// As sent: -1 is to the end.
  package let duration: Double
  /// Whether an earlier playlist is flushed.
  package let reset: Bool
}
