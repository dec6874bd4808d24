package import HTTPSemantics
package import HTTPServer
package import Operator

/// What an edge answers by itself on its public ports; all else is its upstreams'.
package final class EdgeFront: RequestHandler {
  private let health: Health
  private let behind: RequestHandler

  /// - Parameters:
  ///   - health: of the node.
  ///   - behind: answers everything else.
  package init(health: Health, behind: RequestHandler) {
    self.health = health
    self.behind = behind
  }

  public override func handle(
    _ request: borrowing Request, _ exchange: borrowing Exchange
  ) -> Response {
    health.answer(request) ?? behind.handle(request, exchange)
  }
}
