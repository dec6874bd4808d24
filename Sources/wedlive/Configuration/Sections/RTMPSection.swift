/// `rtmp`: the limits of the RTMP and RTMPS ports.
struct RTMPSection: Equatable, Sendable {
  /// The chunk size that the node sends with.
  var chunkSize = 4_096
  /// The largest message it takes.
  var maxMessage = 16 << 20
  /// The bytes of unfinished messages that one connection may hold.
  var maxBuffered = 32 << 20
  /// How long a connection has for handshake and connect.
  var handshakeTimeout = Duration.seconds(10)
  /// How long a publisher has until its first packet.
  var firstPacketTimeout = Duration.seconds(20)
  /// How long a publisher may be silent after that.
  var idleTimeout = Duration.seconds(10)
  /// How often a player that says nothing is asked whether it is there.
  var ping = Duration.seconds(60)
  /// How long it has to answer.
  var pingTimeout = Duration.seconds(30)
  /// After how many bytes the node acknowledges, whatever the client asks for.
  var acknowledgeEvery = 2_500_000
  /// The pictures since the last keyframe that are kept for players that join.
  var gopCache = 16 << 20
  /// What may wait for a slow player until it is moved on to the next keyframe.
  var playerBuffer = 8 << 20
  /// How many connections one port takes.
  var maxConnections = 10_000
  /// How many of them may come from one address.
  var maxConnectionsPerAddress = 256
}
