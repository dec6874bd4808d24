package import TLS

/// How a client goes about it; each default is stated.
package struct RedisConfiguration: Sendable {
  package var address: RedisAddress
  /// Whose certificates are believed, for `rediss`; the name in the address must be in them.
  package var trust = TLSClientConfiguration.Trust.system
  /// What Sentinels want, where they have a password; their user is the default one.
  package var sentinelPassword: String?
  /// What the server's list of clients calls us.
  package var clientName = "wedlive"

  /// For a command that brings no deadline of its own.
  package var commandDeadline = Duration.seconds(2)
  /// How long commands wait for a lost connection to come back; after that they fail at once.
  package var reconnectPatience = Duration.seconds(2)
  /// For connecting, TLS and logging in together.
  package var connectDeadline = Duration.seconds(3)
  /// A connection without traffic for so long is tried with a PING.
  package var pingAfter = Duration.seconds(2)
  /// A server that owes a reply and sends not a byte for so long is taken for dead.
  package var silenceLimit = Duration.seconds(4)
  /// A server that has sent some, but not the whole reply that is due, in this time is too.
  package var replyLimit = Duration.seconds(30)
  /// The first pause between attempts; each is twice the one before, less up to half by chance.
  package var shortestPause = Duration.milliseconds(50)
  package var longestPause = Duration.seconds(2)

  /// Commands that may wait for a reply, or for a connection, at a time.
  package var waitingCommands = 10_000
  /// Their bytes.
  package var waitingBytes = 32 << 20
  /// The largest command.
  package var commandBytes = 8 << 20
  /// Bounds of a reply.
  package var reply = ReplyReader.Limits()
  /// Messages of a subscription that wait for who reads them; more are dropped, and told as a gap.
  package var waitingMessages = 10_000

  package init(_ address: RedisAddress) { self.address = address }
}
