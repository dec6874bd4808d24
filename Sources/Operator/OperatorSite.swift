import EventLoop
import HTTPSemantics
package import HTTPTypes

/// Tells the operator's requests from those that a page of somebody else makes in his browser.
///
/// The admin port trusts whoever reaches it, and any page in a browser on the operator's machine
/// can make that browser ask `http://127.0.0.1:9113/…`. Two things give such a page away: browsers
/// say where a request comes from, and a page that has had its own name point here (DNS rebinding)
/// asks for that name.
package struct OperatorSite: Sendable {
  private static let fetchSite = HTTPField.Name("Sec-Fetch-Site")

  private let names: Set<String>

  /// Makes a judge.
  ///
  /// - Parameter names: of this node, besides numeric addresses, `localhost` and names without a
  ///   dot, which no public name server answers for.
  package init(names: [String]) { self.names = Set(names.map { $0.lowercased() }) }

  /// Why a request that changes something is refused: what to do instead; nil where it may pass.
  package func objection(to request: HTTPRequest) -> String? {
    let fields = request.headerFields
    if let name = Self.fetchSite, let site = fields[name] {
      if site != "same-origin" && site != "none" { return "not for other sites" }
    } else if fields[.origin] != nil {
      // To plain HTTP on any host but this machine browsers send no Sec-Fetch-Site; a POST has
      // this.
      return "not for other sites"
    }
    guard let authority = request.authority, !isOwn(Authority.host(authority)) else { return nil }
    return "not under this name: ask for the node's address, or make the name its node.advertise"
  }

  private func isOwn(_ host: Substring) -> Bool {
    let host = host.hasSuffix(".") ? host.dropLast() : host
    return !host.contains(".") && !host.hasPrefix("[") || names.contains(host.lowercased())
      || host.lowercased().hasSuffix(".localhost") || SocketAddress(host: host, port: 0) != nil
  }
}
