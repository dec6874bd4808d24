/// The part of an address that names whom a request is for (RFC 9110, 7.2).
package enum Authority {
  /// The host without its port; brackets of an IPv6 address stay.
  ///
  /// - Parameter authority: `host`, `host:port`, `[address]` or `[address]:port`.
  /// - Returns: what stands before the port; empty where there is nothing.
  package static func host(_ authority: String) -> Substring {
    if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
      return authority[...end]
    }
    return authority[..<(authority.firstIndex(of: ":") ?? authority.endIndex)]
  }
}
