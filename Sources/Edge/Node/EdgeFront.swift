package import HTTPSemantics
package import HTTPServer
package import Operator
package import Viewers

/// What an edge answers by itself on its public ports; all else is its upstreams'.
package final class EdgeFront: RequestHandler {
  private let health: Health
  private let drain: PeerDrain?
  private let isOfCluster: Bool
  private let behind: RequestHandler

  /// - Parameters:
  ///   - health: of the node.
  ///   - drain: of the node, for others of its cluster; nil where there are none.
  ///   - isOfCluster: whether what lies under `/cluster/` is that of nodes: an edge asks its
  ///     origins as a node, so it must hand on nobody's questions of that kind.
  ///   - behind: answers everything else.
  package init(
    health: Health, drain: PeerDrain? = nil, isOfCluster: Bool = false, behind: RequestHandler
  ) {
    self.isOfCluster = isOfCluster
    self.drain = drain
    self.health = health
    self.behind = behind
  }

  public override func handle(
    _ request: borrowing Request, _ exchange: borrowing Exchange
  ) -> Response {
    if let answer = health.answer(request) ?? drain?.answer(request) { return answer }
    if isOfCluster, request.pathStarts(with: "/cluster/") {
      return .prepared(PeerHandler.elsewhere)
    }
    return behind.handle(request, exchange)
  }
}
