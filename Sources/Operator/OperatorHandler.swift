public import HTTPSemantics
public import HTTPServer
package import HTTPTypes
package import Telemetry

/// Answers the operator on one loop, whatever the node's role: health, `/metrics`, `/drain`,
/// and the cluster's nodes.
///
/// It listens on a private address: nothing here asks for a token.
open class OperatorHandler: RequestHandler {
  private let health: Health
  private let metrics: APICall
  private let drain: APICall
  private let nodes: APICall
  private let pages: [(path: StaticString, call: APICall)]
  private let routes: [(path: StaticString, call: APICall)]
  private let notFound: PreparedResponse
  /// What there is, as a page.
  private let contents: PreparedResponse

  /// Makes a handler.
  ///
  /// - Parameters:
  ///   - health: of the node.
  ///   - registry: of its metrics.
  ///   - site: by which names the operator may change something.
  ///   - nodes: of the cluster as this node sees them, as JSON; nil where there is none.
  ///   - pages: what the role has besides that can only be read.
  ///   - routes: what else it has; each says itself which methods it takes.
  ///   - others: what else it has, as addresses for a person.
  ///   - drainOther: has a node of the cluster drain, by its name; answers nil for this node; nil
  ///     where there is no cluster.
  ///   - drain: begins to drain the node; returns at once.
  package init(
    health: Health, registry: MetricRegistry, site: OperatorSite,
    nodes: (@Sendable () -> [UInt8])?, pages: [(path: StaticString, call: APICall)] = [],
    routes: [(path: StaticString, call: APICall)] = [],
    others: [String] = [],
    drainOther: (@Sendable (_ node: String) async -> APIResponse?)? = nil,
    drain: @escaping @Sendable () -> Void
  ) {
    self.health = health
    self.pages = pages
    self.routes = routes
    let paths = OperatorContents(
      ["/"] + others + (pages + routes).map { "\($0.path)" }
        + (nodes == nil ? [] : ["/api/nodes"])
        + ["/metrics", "/healthz", "/readyz", "/drain"])
    notFound = .error(
      404, code: "not_found", message: "There is nothing at this address; there is \(paths.text).")
    contents = paths.page
    self.nodes = APICall(bodyLimit: 0) { _ in
      guard let nodes else {
        return .error(
          .notFound, code: "no_cluster", message: "This node is alone: it has no redis.url.")
      }
      return .json(.ok, nodes())
    }
    metrics = APICall(bodyLimit: 0) { _ in
      Self.document(MetricRegistry.contentType, registry.text())
    }
    self.drain = APICall(bodyLimit: 4_096) { request in
      if let words = site.objection(to: request.request) { return Self.foreign(words) }
      guard request.request.method == .post else {
        return .wrongMethod(
          request.request.method.rawValue, allowed: ["POST"],
          "POST /drain begins to drain the node, POST /drain?node=NAME another one.")
      }
      if let name = Self.node(request.request) {
        guard let drainOther else {
          return .error(
            .notFound, code: "no_cluster", message: "This node is alone: it has no redis.url.")
        }
        if let answer = await drainOther(name) { return answer }
      }
      drain()
      return Self.document("text/plain; charset=utf-8", Array("draining\n".utf8), .accepted)
    }
  }

  open override func handle(
    _ request: borrowing Request, _ exchange: borrowing Exchange
  ) -> Response {
    if let answer = health.answer(request) { return answer }
    if request.pathIs("/drain") { return .deferred(drain) }
    for route in routes where request.pathIs(route.path) { return .deferred(route.call) }
    guard let page = page(request) else { return .prepared(notFound) }
    return ReadOnly.answer(request.method) ?? page
  }

  /// What can only be read, by its address; nil where there is nothing.
  private func page(_ request: borrowing Request) -> Response? {
    if request.pathIs("/metrics") { return .deferred(metrics) }
    if request.pathIs("/api/nodes") { return .deferred(nodes) }
    for page in pages where request.pathIs(page.path) { return .deferred(page.call) }
    return request.pathIs("/") ? .prepared(contents) : nil
  }

  /// The node that a request names.
  private static func node(_ request: HTTPRequest) -> String? {
    let items = (request.path ?? "").split(separator: "?", maxSplits: 1).dropFirst().first
    let named = items?.split(separator: "&").first { $0.hasPrefix("node=") }
    return named.map { String($0.dropFirst("node=".count)) }
  }

  /// What a page of another site gets that tries to end streams from an operator's browser.
  package static func foreign(_ words: String) -> APIResponse {
    document("text/plain; charset=utf-8", Array("\(words)\n".utf8), .forbidden)
  }

  /// An answer that is made anew for each request.
  package static func document(
    _ type: String, _ body: [UInt8], _ status: HTTPResponse.Status = .ok
  ) -> APIResponse {
    var response = HTTPResponse(status: status)
    response.headerFields[.contentType] = type
    response.headerFields[.cacheControl] = "no-store"
    return APIResponse(response, body: body)
  }
}
