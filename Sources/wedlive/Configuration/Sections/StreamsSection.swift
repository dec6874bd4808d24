/// `streams`: how live streams are cut and kept.
struct StreamsSection: Equatable, Sendable {
  /// The length that segments aim at; cuts are on keyframes.
  var fragment = Duration.seconds(3)
  /// How much of the stream a playlist lists.
  var window = Duration.seconds(60)
  /// How long a publisher may be away before its stream ends.
  var reconnectWindow = Duration.seconds(60)
  /// The longest segment when no keyframe comes.
  var maxFragment = Duration.seconds(20)
  /// The memory that one stream's window may take.
  var memory = 512 << 20
  /// How many streams a node takes.
  var limit = 1_000
}
