/// `relay`: publishers of an edge, on their way to origins.
struct RelaySection: Equatable, Sendable {
  /// What may wait for an origin, of one stream, before its publisher isn't read.
  var queue = 8 << 20
  /// What is kept of one stream to be replayed to the next origin.
  var replay = 64 << 20
  var replaySpan = Duration.seconds(10)
  var originSilence = Duration.seconds(3)
  var admitWithin = Duration.seconds(10)
  var giveUpAfter = Duration.seconds(30)
  var leaveWithin = Duration.seconds(15)
  /// How long an origin that has heard a stream's end is watched, and the end kept for another one.
  var afterEnd = Duration.seconds(3)
  /// Whether origins are told the publisher's address.
  var proxyHeader = false
  /// With `rtmp.proxy: tcp`: how long one origin has to take a connection.
  var connectTimeout = Duration.seconds(3)
  /// How long nothing may move on one.
  var idleTimeout = Duration.seconds(60)
  /// What may wait of one, each way.
  var pipe = 256 << 10
}
