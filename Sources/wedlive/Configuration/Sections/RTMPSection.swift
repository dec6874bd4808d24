/// `rtmp`: the limits of the RTMP and RTMPS ports.
struct RTMPSection: Equatable, Sendable {
  /// What an edge does with its publishers: understands them, or hands their bytes on.
  enum Proxy: String, CaseIterable, Sendable { case rtmp, tcp }

  var proxy = Proxy.rtmp
  /// The chunk size that the node sends with.
  var chunkSize = 60_000
  /// The largest message it takes.
  var maxMessage = 16 << 20
  /// The bytes of unfinished messages that one connection may hold.
  var maxBuffered = 24 << 20
  /// The same, and what is kept of its media, before it may publish.
  var maxUnadmitted = 4 << 20
  /// How long a connection has for handshake, connect and its wish.
  var handshakeTimeout = Duration.seconds(10)
  /// How long a publisher has until its first packet.
  var firstPacketTimeout = Duration.seconds(20)
  /// How long a publisher may be silent after that.
  var idleTimeout = Duration.seconds(10)
  /// After how much silence a client is asked whether it is there.
  var ping = Duration.seconds(15)
  /// After how much silence it is gone.
  var silence = Duration.seconds(45)
  /// After how many bytes the node acknowledges, whatever the client asks for.
  var acknowledgeEvery = 2_500_000
  /// The pictures since the last keyframe that are kept for players that join.
  var gopCache = 16 << 20
  /// What may wait for a slow player until it is moved on to the next keyframe.
  var playerBuffer = 4 << 20
  /// How long a player may take nothing at all.
  var playerStall = Duration.seconds(30)
  /// How often a publisher's messages are taken together.
  var coalesce = Duration.milliseconds(50)
  /// How many connections one loop holds.
  var maxConnections = 10_000
}
