package import EventLoop

/// Why a connection that was handed on is over.
package enum TCPProxyOutcome: String, CaseIterable, Sendable {
  /// Both sides have ended theirs.
  case finished
  /// One side was reset, or its network failed.
  case clientLost = "client lost"
  case originLost = "origin lost"
  /// No origin took it in time, or there is none with room.
  case noOrigin = "no origin"
  /// Nothing has moved for too long.
  case idle
  /// The client didn't finish its TLS handshake or PROXY header, or one was wrong.
  case handshake
  /// The node stops.
  case stopped
  /// The process has no descriptor or memory left.
  case exhausted
}

/// What became of one connection.
package struct TCPProxyReport: Sendable {
  package let outcome: TCPProxyOutcome
  /// The client's address.
  package let client: SocketAddress
  /// The origin that had it; nil where none took it.
  package let origin: String?
  package let bytesToOrigin: UInt64
  package let bytesToClient: UInt64
  /// What went wrong last, for a person; empty where nothing did.
  package let words: String
}
