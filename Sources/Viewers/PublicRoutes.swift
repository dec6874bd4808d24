package import HTTPSemantics
package import Operator
package import HTTPServer

/// What the public listener has besides streams: the player page, health, and the API.
package final class PublicRoutes: RequestHandler {
  private static let notFound = PreparedResponse.error(
    404, code: "not_found", message: "There is nothing at this address.")

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
    if let answer = health.answer(request) { return answer }
    if request.pathStarts(with: "/watch/") {
      let wedding = String(request.path.dropFirst("/watch/".count))
      guard let page = page(wedding) else { return .prepared(Self.notFound) }
      return ReadOnly.answer(request.method) ?? .prepared(page)
    }
    return .prepared(Self.notFound)
  }
}
