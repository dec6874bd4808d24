/// `public`: what publishers and viewers are told to connect to.
struct PublicSection: Equatable, Sendable {
  /// `host[:port]` of what viewers ask; empty: found out.
  var https = ""
  /// Where publishers go; empty: found out.
  var rtmp = ""
  /// The same over TLS.
  var rtmps = ""
}
