package import EventLoop

/// The bounds of an edge that hands connections on without understanding them.
package struct TCPProxyConfiguration: Sendable {
  /// How many connections one loop holds; more are closed at once, and counted.
  package var maximumConnections = 10_000
  /// How many TLS handshakes of clients one loop has under way; for one more the oldest is given
  /// up.
  package var maximumHandshakes = 256
  /// For a client's PROXY header and TLS handshake; no origin is asked before.
  package var handshakeTimeout = Duration.seconds(10)
  /// For one address of an origin to take the connection, TLS included.
  package var connectTimeout = Duration.seconds(3)
  /// For some origin to take it.
  package var admitWithin = Duration.seconds(10)
  /// A connection on which nothing moved for so long, either way, is closed.
  package var idleTimeout = Duration.seconds(60)
  /// For the other side to end after one that speaks TLS has ended.
  package var linger = Duration.seconds(2)
  /// The room of one pipe: what may wait for a side that reads slowly, besides sockets' own
  /// buffers.
  package var pipeBytes = 256 << 10
  /// A direction that much goes is looked at every so often, instead of waking the loop for each
  /// packet; zero takes each as it comes.
  package var gather = Duration.milliseconds(20)
  /// Whether a PROXY protocol header with the client's address goes ahead of each connection to an
  /// origin; the origin has to trust this host then.
  package var sendsProxyHeader = false
  /// Whose connections start with a PROXY protocol header; from these it is required.
  package var trustedProxies: NetworkList = []

  package init() {}
}
