package import Ingest
package import Media
package import RTMP

/// What is decided about a client that asks to publish.
package enum RelayAdmission: Sendable {
  case admitted(StreamKey)
  /// The status it gets and why, for a person; never a token.
  case refused(ServerSession.PublishRefusal, String)
}

/// What is asked where a stream shall go.
package struct PlaceQuestion: Sendable {
  package let key: StreamKey
  /// The names of the origins that it shall not go to.
  package let excluded: Set<String>
  /// How far viewers have it, as the origin before said; nil where none has said so.
  package let progress: RelayProgress?
  /// Whether its publisher has gone, so that another origin that has it by now has another
  /// publisher's.
  package let isEnding: Bool
  /// The names of the origins that have had it.
  package let had: Set<String>
  /// Under which grant the last one of these had it, as it said itself; nil where it has said
  /// nothing.
  ///
  /// A lease with a larger number is another publisher's, unless an origin of `mayHaveTaken` has
  /// it, or `isTakenAway`.
  package let grant: StreamGrant?
  /// The names of the origins that were asked to take it since, and never answered or failed to
  /// keep it.
  package let mayHaveTaken: Set<String>
  /// Whether the last one that has had it said itself that another one has the stream by now, as
  /// none had before.
  ///
  /// Its publisher was on the air without a break until then, and goes on with the stream under
  /// whichever number that is.
  package let isTakenAway: Bool
  /// Which date a time of its publisher's clock has, for what is sent again; nil where nothing is.
  package let date: StreamDate?
}

/// Who decides about publishers; called on the relay's loop.
///
/// Each call is answered once, at once or later, on any thread.
package struct RelayHandlers {
  /// Whether a client may publish, and as which stream.
  package let admit:
    (RTMPConnection, PublishRequest, @escaping @Sendable (RelayAdmission) -> Void) -> Void
  /// Where a stream shall go; nil: nowhere now.
  package let place: (PlaceQuestion, @escaping @Sendable (RelayTarget?) -> Void) -> Void
  /// Told what happens to streams, for the log; a few times in a stream's life.
  package let notice: (RelayNotice) -> Void

  package init(
    admit:
      @escaping (RTMPConnection, PublishRequest, @escaping @Sendable (RelayAdmission) -> Void) ->
      Void,
    place:
      @escaping (PlaceQuestion, @escaping @Sendable (RelayTarget?) -> Void) -> Void,
    notice: @escaping (RelayNotice) -> Void = { _ in }
  ) {
    self.admit = admit
    self.place = place
    self.notice = notice
  }
}

/// Something that happened to a stream.
package struct RelayNotice: Equatable, Sendable {
  package enum Kind: String, Sendable {
    /// An origin has taken the stream, at first or after another one was lost.
    case taken, resumed
    /// An origin that had the stream was lost.
    case lost
    /// An origin didn't take the stream.
    case failed
    /// The stream has moved from one origin to another, or could not.
    case handedOver, notHandedOver
    /// The publisher was refused or closed.
    case refused
    /// The publisher has gone, and what it sent is with its origin, or is given up.
    case ended, cutShort
  }

  /// The words for a stream that is over as it should be.
  static let endedByPublisher = "the publisher has ended it"

  package let kind: Kind
  package let stream: StreamKey
  /// The client's address.
  package let address: String
  /// The origin that it is about.
  package let origin: String?
  /// Why, for a person; no secrets.
  package let words: String
}

/// What a relay knows of one of its streams.
package struct RelayStatus: Equatable, Sendable {
  package let stream: StreamKey
  /// The client's address.
  package let address: String
  /// The origin that has the stream; nil while there is none.
  package let origin: String?
  /// What is kept to be replayed, in bytes.
  package let keptBytes: Int
  /// What waits for the origin, in bytes.
  package let waitingBytes: Int
  /// Whether the publisher isn't read at the moment.
  package let isHeldBack: Bool
  /// How many origins it has lost.
  package let failovers: Int
}
