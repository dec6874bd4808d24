package import HTTPSemantics
package import HTTPServer
package import Operator
package import Viewers

/// What an edge answers by itself on its public ports; all else is its upstreams'.
package final class EdgeFront: RequestHandler {
  private let health: Health
  private let drain: PeerDrain?
  private let behind: RequestHandler

  /// - Parameters:
  ///   - health: of the node.
  ///   - drain: of the node, for others of its cluster; nil where there are none.
  ///   - behind: answers everything else.
  package init(health: Health, drain: PeerDrain? = nil, behind: RequestHandler) {
    self.drain = drain
    self.health = health
    self.behind = behind
  }

  public override func handle(
    _ request: borrowing Request, _ exchange: borrowing Exchange
  ) -> Response {
    health.answer(request) ?? drain?.answer(request) ?? behind.handle(request, exchange)
  }
}
