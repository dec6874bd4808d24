/// Where publishers and viewers are to be sent, as far as somebody knows.
package struct KnownAddresses: Equatable, Sendable {
  /// `https://host`, without a slash at the end.
  package var web: String?
  /// `rtmp://host:1935/live`.
  package var rtmp: String?
  /// `rtmps://host:1936/live`.
  package var rtmps: String?

  package init(web: String? = nil, rtmp: String? = nil, rtmps: String? = nil) {
    self.web = web
    self.rtmp = rtmp
    self.rtmps = rtmps
  }

  /// The same, and what another one knows of the rest.
  package func or(_ other: @autoclosure () -> KnownAddresses) -> KnownAddresses {
    if web != nil, rtmp != nil, rtmps != nil { return self }
    let other = other()
    return KnownAddresses(
      web: web ?? other.web, rtmp: rtmp ?? other.rtmp, rtmps: rtmps ?? other.rtmps)
  }

  // MARK: From an edge to an origin

  /// Each with a space between them, as an edge tells its origins.
  package var text: String { [web, rtmp, rtmps].compactMap { $0 }.joined(separator: " ") }

  /// Reads what an edge has told; what is no such address is passed over.
  package init(text: String) {
    self.init()
    for word in text.split(separator: " ").prefix(3) {
      let address = String(word)
      if address.hasPrefix("https://") {
        web = address
      } else if address.hasPrefix("rtmp://") {
        rtmp = address
      } else if address.hasPrefix("rtmps://") {
        rtmps = address
      }
    }
  }
}
