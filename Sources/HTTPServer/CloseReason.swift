/// Why a connection was closed: few enough to be a metric's label.
package enum CloseReason: String, CaseIterable, Sendable {
  case clientClosed = "client_closed"
  case reset
  case idle
  case handshakeTimeout = "handshake_timeout"
  case headerTimeout = "header_timeout"
  case slowBody = "slow_body"
  case slowReader = "slow_reader"
  case malformed
  case tls
  case proxyHeader = "proxy_header"
  case http2Violation = "http2_violation"
  case tooManyConnections = "too_many_connections"
  case tooManyHandshakes = "too_many_handshakes"
  case bodyFailed = "body_failed"
  case finished
  case drained
  case failure
}
