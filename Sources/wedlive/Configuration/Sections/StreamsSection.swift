/// `streams`: how live streams are cut and kept.
struct StreamsSection: Equatable, Sendable {
  /// The length that segments aim at; cuts are on keyframes.
  var fragment = Duration.seconds(3)
  /// How much of the stream a playlist lists.
  var window = Duration.seconds(60)
  /// How long a publisher may be away before its stream ends.
  var dvrWindow = Duration.zero
  var dvrBuffer = 256 << 20
  var reconnectWindow = Duration.seconds(60)
  /// How long a part of a segment is kept back, where its relay's connection has broken off.
  var relayPatience = Duration.seconds(1)
  /// How long an ended stream can still be fetched.
  var afterEnd = Duration.seconds(120)
  /// How long a stream can be fetched where another process of the node has taken it over.
  var afterUpgrade = Duration.seconds(30)
  /// How long the numbers of a stream are kept after it was published last.
  var remembered = Duration.seconds(30 * 86_400)
  /// How many streams a node takes.
  var limit = 1_000
  /// Of how many streams what is sent is counted one by one.
  var counted = 1_000
  /// How often it is counted who watches.
  var censusEvery = Duration.seconds(2)
  /// What the segments of all streams may take in memory, in bytes; 0 for half of what there is.
  var memory = 0
}
