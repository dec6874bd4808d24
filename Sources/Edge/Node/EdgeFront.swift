package import HTTPSemantics
package import HTTPServer
package import Operator

/// What an edge answers by itself on its public ports; all else is its upstreams'.
package final class EdgeFront: RequestHandler {
  private static let alive = PreparedResponse(
    fields: [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")],
    body: Array("ok\n".utf8))

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
    if request.pathIs("/healthz") { return .prepared(Self.alive) }
    if request.pathIs("/readyz") { return .prepared(health.readiness) }
    return behind.handle(request, exchange)
  }
}
