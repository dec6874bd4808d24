package import HTTPSemantics
package import Operator
package import HTTPServer

/// What the public listener has besides streams: the player page, health, and the API.
package final class PublicRoutes: RequestHandler {
  private static let notFound = PreparedResponse.error(
    404, code: "not_found", message: "There is nothing at this address.")
  private static let alive = PreparedResponse(
    fields: [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")],
    body: Array("ok\n".utf8))

  private let health: Health
  private let api: APICall
  private let page: @Sendable (String) -> PreparedResponse?

  /// Makes the routes.
  ///
  /// - Parameters:
  ///   - health: what the node says of itself.
  ///   - api: answers everything under `/api/`.
  ///   - page: the player page of a wedding; nil for a name that can't be one.
  package init(
    health: Health, api: APICall, page: @escaping @Sendable (String) -> PreparedResponse?
  ) {
    self.health = health
    self.api = api
    self.page = page
  }

  public override func handle(
    _ request: borrowing Request, _ exchange: borrowing Exchange
  ) -> Response {
    if request.pathStarts(with: "/api/") { return .deferred(api) }
    if request.pathIs("/healthz") { return .prepared(Self.alive) }
    if request.pathIs("/readyz") { return .prepared(health.readiness) }
    if request.pathStarts(with: "/watch/") {
      let wedding = String(request.path.dropFirst("/watch/".count))
      return .prepared(page(wedding) ?? Self.notFound)
    }
    return .prepared(Self.notFound)
  }
}
