/// How a client behaves; the defaults are meant for calls to a backend.
package struct HTTPClientConfiguration: Sendable {
  /// Exchanges under way at once; more wait.
  package var maxConcurrent = 64
  /// Connections to one host at once.
  package var maxPerHost = 16
  /// Requests that wait; more are refused with `.overloaded`.
  package var maxWaiting = 1024
  /// The longest time to connect, TLS included; the request's deadline may be shorter.
  package var connectTimeout: Duration = .seconds(5)
  /// A PEM file of certificate authorities to trust in place of the system's.
  package var certificateAuthorities: String?
  /// PEM files that are shown to servers that ask who we are, and read anew with each connection.
  package var certificate: String?
  package var key: String?
  /// `http://host:port` of a proxy.
  ///
  /// The environment's proxies are not used: a node's calls go to
  /// its own network, and a variable meant for a shell must not redirect them.
  package var proxy: String?
  /// The `User-Agent`.
  package var userAgent = "wedlive"

  package init() {}
}
