/// `http`: the limits of the HTTP and HTTPS ports.
struct HTTPSection: Equatable, Sendable {
  /// Whether the plain port only sends people to the other one.
  var redirect = true
  /// How long a request's header may take.
  var headerTimeout = Duration.seconds(10)
  /// How long its body may take.
  var bodyTimeout = Duration.seconds(30)
  /// How long a connection may be idle.
  var idleTimeout = Duration.seconds(75)
  /// After how long an idle HTTP/2 connection gives memory back, at least.
  var restAfter = Duration.seconds(1)
  /// The least bytes a second of a request body that is under way.
  var minimumBodyRate = 512
  /// The least bytes a second that a client must take of a response.
  var minimumReadRate = 1_024
  /// The longest address.
  var maxTarget = 8 << 10
  /// The bytes and the fields of a request's header.
  var maxHeader = 16 << 10
  var maxHeaderFields = 100
  /// The bodies that one connection may send at a time, together.
  var maxBody = 256 << 10
  /// The streams of one HTTP/2 connection at a time.
  var maxStreams = 100
  /// How many connections one loop holds.
  var maxConnections = 20_000
  /// How many requests one loop holds until there is something new.
  var maxHeldRequests = 20_000
}
