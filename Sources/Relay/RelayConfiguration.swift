package import Ingest

/// The bounds of an edge's relay of publishers.
package struct RelayConfiguration: Sendable {
  /// Of the side that publishers connect to: connections, handshakes, deadlines, message sizes.
  package var ingest: IngestConfiguration
  /// What of one stream may wait for its origin, in bytes, before its publisher isn't read any
  /// more.
  package var queueBytes = 8 << 20
  /// What of that is with the connection already, in bytes; the rest waits in the replay buffer.
  package var connectionQueueBytes = 1 << 20
  /// What is kept of one stream to be replayed, what waits included, in bytes.
  package var replayBytes = 64 << 20
  /// What is kept of all streams of a loop together, in bytes; beyond it each has an equal share.
  package var totalReplayBytes = 1 << 30
  /// How far back a stream is kept while nobody says how far its origin has announced it.
  package var replaySpan = Duration.seconds(10)
  /// A connection to an origin on which nothing comes for so long, not even the answer to a ping,
  /// is given up; also the time to connect.
  package var originSilence = Duration.seconds(3)
  /// From connecting to an origin until it has admitted the stream.
  package var originStart = Duration.seconds(15)
  /// For an origin to close after the end of a stream was said.
  package var originLinger = Duration.seconds(5)
  /// For an answer where a stream shall go.
  package var placeTimeout = Duration.seconds(5)
  /// Between two tries to find an origin: the first pause, which doubles up to the last.
  package var firstBackoff = Duration.milliseconds(50)
  package var lastBackoff = Duration.seconds(1)
  /// A new publisher for whom no origin is found in so long is refused.
  package var admitWithin = Duration.seconds(10)
  /// A publisher whose stream has been without an origin for so long is closed.
  package var giveUpAfter = Duration.seconds(30)
  /// An origin that has taken a stream for so long has settled: a later loss is another outage.
  package var settledAfter = Duration.seconds(2)
  /// How many origins may be lost in one outage right after they took the stream; it may be the
  /// stream that kills them.
  package var lossesPerOutage = 5
  /// For what waits to reach an origin once the publisher has gone, another one where that is lost.
  package var leaveWithin = Duration.seconds(15)
  /// An origin that has heard the end of a stream, and answers so long after it, has brought all of
  /// it to the edges; what is lost with one before that is replayed to another one.
  package var afterEnd = Duration.seconds(3)
  /// Whether a PROXY protocol header with the publisher's address goes ahead of each connection to
  /// an origin; the origin has to trust this host then.
  package var sendsProxyHeader = false
  /// Every how many bytes an origin acknowledges what it has read, which shows that it reads.
  package var acknowledgeEveryBytes = 64 << 10

  package init() {
    ingest = IngestConfiguration()
    // What waits here waits again at the origin.
    ingest.coalesce = .milliseconds(20)
  }
}
