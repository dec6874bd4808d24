/// `public`: what publishers and viewers are told to connect to.
struct PublicSection: Equatable, Sendable {
  /// `host[:port]` of what viewers ask; empty: found out.
  var https = ""
  /// Where publishers go; empty: found out.
  var rtmp = ""
  /// The same over TLS.
  var rtmps = ""

  /// Where viewers reach HTTPS; nil where that is found out.
  var httpsPort: UInt16? {
    if https.isEmpty { return nil }
    let port = https.split(separator: ":", omittingEmptySubsequences: false).last ?? ""
    return https.hasSuffix("]") ? 443 : UInt16(port) ?? 443
  }
}
