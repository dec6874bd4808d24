package import HTTPSemantics
package import HTTPServer

/// `POST /cluster/drain`: another node of the cluster passes on that this one is to drain.
///
/// `POST /cluster/leaving?node={name}`: another node says that it drains, where Redis can't.
package struct PeerDrain: Sendable {
  package static let path: StaticString = "/cluster/drain"
  package static let leavingPath: StaticString = "/cluster/leaving"

  private static let refused = PreparedResponse.error(
    403, code: "not_a_peer", message: "Only nodes with the same cluster.secret are answered here.")
  private static let wrongMethod = WrongMethod(allowed: .post)
  private static let begun = PreparedResponse(
    status: 202, fields: [("cache-control", "no-store")], body: [])

  private let pass: PeerPass
  private let drain: @Sendable () -> Void
  private let leaving: @Sendable (_ node: String) -> Void

  /// - Parameters:
  ///   - pass: what nodes of the cluster show each other.
  ///   - leaving: hears which other node leaves; returns at once.
  ///   - drain: begins to drain the node; returns at once.
  package init(
    _ pass: PeerPass, leaving: @escaping @Sendable (_ node: String) -> Void,
    drain: @escaping @Sendable () -> Void
  ) {
    self.pass = pass
    self.leaving = leaving
    self.drain = drain
  }

  /// Answers the request; nil for any other.
  package func answer(_ request: borrowing Request) -> Response? {
    let isLeaving = request.pathIs(Self.leavingPath)
    guard isLeaving || request.pathIs(Self.path) else { return nil }
    guard let token = request.bearerToken, pass.fits(token) else {
      return .prepared(Self.refused)
    }
    guard request.method == .post else {
      return .prepared(Self.wrongMethod.response(to: request.method))
    }
    if isLeaving {
      if let node = request.queryValue("node") { leaving(node) }
    } else {
      drain()
    }
    return .prepared(Self.begun)
  }
}
