package import EventLoop
package import HTTP2
package import HTTPSemantics

/// Every limit of the HTTP server; the defaults are what a node uses.
package struct ServerConfiguration: Sendable {
  /// The value of the Server field; empty sends none.
  package var serverName = "wedlive"
  /// `max-age` of Strict-Transport-Security on TLS connections; 0 sends none.
  package var strictTransportSecurity = 63_072_000
  package var request = RequestLimits()

  // Connections of one loop.
  package var maximumConnections = 20_000
  package var maximumHandshakes = 256
  package var maximumHeldRequests = 20_000
  /// Requests of one connection that wait for an asynchronous answer.
  package var maximumDeferredPerConnection = 16
  /// Bodies of one connection that are being collected, together.
  package var requestBodyBytesPerConnection = 256 << 10

  // Times.
  package var handshakeTimeout = Duration.seconds(10)
  package var headerTimeout = Duration.seconds(10)
  package var bodyTimeout = Duration.seconds(30)
  package var idleTimeout = Duration.seconds(75)
  /// How often idle HTTP/2 connections are looked at: one rests after one to two of these.
  package var restInterval = Duration.seconds(1)
  /// How long a connection that is being closed may still send what nobody reads any more.
  package var lingerTimeout = Duration.seconds(2)
  /// How often the rates below are looked at.
  package var rateInterval = Duration.seconds(10)
  /// The slowest a client may read while an answer waits for it, in bytes a second.
  package var minimumReadRate = 1024
  /// The slowest a client may send a body, in bytes a second.
  package var minimumBodyRate = 512
  package var drainTimeout = Duration.seconds(30)
  /// Over how long clients are told that the server stops, one after the other: all of them come
  /// back at once otherwise.
  package var drainSpread = Duration.zero

  /// What one connection may send in one turn before the others have theirs.
  package var bytesPerTurn = 512 << 10
  package var maximumRequestsPerConnection = 100_000
  package var http2 = HTTP2Limits()

  /// Whose connections start with a PROXY protocol header; from these it is required, from others
  /// it would be a lie and is an error of the protocol that follows.
  package var trustedProxies: NetworkList = []

  package init() {}
}
