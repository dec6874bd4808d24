/// `http`: the limits of the HTTP and HTTPS ports.
struct HTTPSection: Equatable, Sendable {
  /// How long a request's header may take.
  var headerTimeout = Duration.seconds(10)
  /// How long a connection may be idle.
  var idleTimeout = Duration.seconds(75)
  /// The least bytes a second of a request body that is under way.
  var minimumBodyRate = 500
  /// The least bytes a second that a client must take of a response.
  var minimumSendRate = 2_000
  /// The bytes and the fields of a request's header.
  var maxHeader = 16 << 10
  var maxHeaderFields = 100
  /// The largest body of an API request.
  var maxBody = 1 << 20
  /// The streams of one HTTP/2 connection at a time.
  var maxStreams = 100
  /// Resets, pings, settings, empty frames… one HTTP/2 connection may spend in ten seconds.
  var abuseBudget = 200
  /// What one stalled connection may hold.
  var maxHeld = 4 << 20
  var maxConnections = 50_000
  /// The origins that browsers may play from; `*` is all.
  var corsOrigin = "*"
}
