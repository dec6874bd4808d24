/// `proxy_protocol`: load balancers that say who the client is.
struct ProxyProtocolSection: Equatable, Sendable {
  /// Addresses and networks whose PROXY header is believed; none by default.
  var trusted: [String] = []
}
