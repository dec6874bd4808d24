package import HTTPSemantics
package import HTTPServer

/// `POST /cluster/drain`: another node of the cluster passes on that this one is to drain.
package struct PeerDrain: Sendable {
  package static let path: StaticString = "/cluster/drain"

  private static let refused = PreparedResponse.error(
    403, code: "not_a_peer", message: "Only nodes with the same cluster.secret are answered here.")
  private static let wrongMethod = WrongMethod(allowed: .post)
  private static let begun = PreparedResponse(
    status: 202, fields: [("cache-control", "no-store")], body: [])

  private let pass: PeerPass
  private let drain: @Sendable () -> Void

  /// - Parameters:
  ///   - pass: what nodes of the cluster show each other.
  ///   - drain: begins to drain the node; returns at once.
  package init(_ pass: PeerPass, drain: @escaping @Sendable () -> Void) {
    self.pass = pass
    self.drain = drain
  }

  /// Answers the request; nil for any other.
  package func answer(_ request: borrowing Request) -> Response? {
    guard request.pathIs(Self.path) else { return nil }
    guard let token = request.bearerToken, pass.fits(token) else {
      return .prepared(Self.refused)
    }
    guard request.method == .post else {
      return .prepared(Self.wrongMethod.response(to: request.method))
    }
    drain()
    return .prepared(Self.begun)
  }
}
