package import HLS
package import Media
package import RTMP

/// A granted stream.
package struct Claim: Sendable {
  package let key: StreamKey
  package let epoch: UInt64
  /// The same among all processes.
  package let turn: StreamGrant.Turn
  package let box: LiveStreamBox
  /// How far others of the cluster have brought it; nil where that isn't known.
  package var after: StreamLeasing.Progress?
  /// Which date a time of the publisher's clock had, where it is one that goes on.
  package var date: PublisherDate?
}

/// A stream on its way between owners.
package final class LiveStreamBox: @unchecked Sendable {
  // The registry gives it to one claim at a time, and takes it back only when the loop that had it
  // has let go of it; so one thread alone touches the stream, and the hand-over orders them.
  package let stream: LiveStream

  package init(_ stream: LiveStream) { self.stream = stream }
}

/// Why a stream was not granted; the words go to the publisher.
package enum ClaimRefusal: Error, Equatable, Sendable, CustomStringConvertible {
  /// Somebody else publishes it.
  case taken
  /// A later connection of the same encoder has it.
  case superseded
  /// Somebody is on air, and stays there until the backend has admitted the newcomer.
  case onAir
  /// It changed hands so often that two encoders must be fighting over it.
  case contested
  /// The node has as many streams as it may have.
  case full
  /// The streams that there are need the memory.
  case noMemory
  /// It ended at this very moment.
  case unavailable

  package var description: String {
    switch self {
    case .taken, .onAir: "this stream is already being published by somebody else"
    case .superseded: "another encoder has taken over"
    case .contested:
      "this stream key is in use by several encoders that push each other out; "
        + "stop all but one and wait 30 seconds"
    case .full: "this server has as many streams as it may have; connect to another one"
    case .noMemory:
      "this server's memory for streams is nearly full; connect to another one, or try again "
        + "when fewer are live"
    case .unavailable: "the stream has just ended; try again"
    }
  }
}
