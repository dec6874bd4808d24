/// How an edge follows live streams; the defaults are what a node uses.
package struct LiveConfiguration: Sendable {
  /// Streams that are followed at once; viewers of others are told to try again.
  package var streams = 10_000
  /// How many of these may be such that no node has said anything of yet: anybody can ask for names
  /// that no stream has.
  package var unanswered = 1_000
  /// How long a stream is followed after its last viewer.
  package var idle = Duration.seconds(60)
  /// How long it is believed that nobody has a stream.
  package var absentFor = Duration.seconds(1)
  /// How long a stream goes on for viewers that no node has any more.
  ///
  /// Then they are told that it is over, and can have it for as long again. Also how long numbers
  /// that have gone back are not believed.
  package var grace = Duration.seconds(60)
  /// How long a node may take to say what it has of a stream.
  package var firstDeadline = Duration.seconds(3)
  /// How long a node may hold a question for news.
  package var newsDeadline = Duration.seconds(30)
  /// How long a playlist waits for the first bytes of the segments that it names, and for more of
  /// them while they come.
  package var segmentPatience = Duration.seconds(1)
  /// How long a node may send nothing of a segment: players have no more time than that.
  package var segmentStall = Duration.seconds(5)
  /// The largest feed that is taken.
  package var feedBytes = 32 << 20
  /// Between questions to nodes that gave no answer.
  package var firstPause = Duration.milliseconds(100)
  package var longestPause = Duration.seconds(2)

  package init() {}
}
