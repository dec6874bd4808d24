package import EventLoop
package import RTMP

/// The bounds of the RTMP side of a node.
package struct IngestConfiguration: Sendable {
  /// What one connection may take on the wire.
  package var rtmp = Limits()
  /// From the accept until the client has said what it wants: handshake, connect, publish or play.
  package var commandTimeout = Duration.seconds(10)
  /// From an accepted publish to its first picture or sound.
  package var firstMediaTimeout = Duration.seconds(20)
  /// A publisher that sends no picture or sound for so long is a ghost.
  package var idleTimeout = Duration.seconds(10)
  /// A publisher's messages are taken together every so often, instead of waking the loop for each;
  /// zero takes each as it comes.
  package var coalesce = Duration.milliseconds(50)
  /// How many connections one loop holds; more are closed at once, and counted.
  package var maximumConnections = 10_000
  /// How many TLS handshakes one loop has under way at once; more are closed at once, and counted.
  package var maximumHandshakes = 256
  /// The start of a stream that is kept for players, in bytes.
  package var gopCacheBytes = 16 << 20
  /// What may wait for one player; beyond it the player is dropped to the next keyframe.
  package var playerQueueBytes = 4 << 20
  /// A player whose socket takes nothing for so long is closed.
  package var playerStallTimeout = Duration.seconds(30)

  /// Whose connections start with a PROXY protocol header; from these it is required.
  package var trustedProxies: NetworkList = []

  package init() {}
}
