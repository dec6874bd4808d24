package import Operator
import EventLoop
package import HTTPSemantics
package import HTTPServer
import HTTPTypes
import Media
package import Telemetry

/// Answers the operator on one loop: the status page, `/stat`, `/metrics`, health, `/control`,
/// `/drain`.
///
/// It listens on a private address: nothing here asks for a token.
package final class AdminHandler: RequestHandler {
  private static let alive = text("ok\n")
  private static let notFound = PreparedResponse.error(
    404, code: "not_found",
    message: "There is nothing at this address; try / /stat /metrics /healthz /readyz.")

  private let node: OriginNode
  private let page: PreparedResponse
  private let stylesheet: PreparedResponse
  private let transform: PreparedResponse
  private let status: APICall
  private let statistics: APICall
  private let metrics: APICall
  private let control: APICall
  private let drain: APICall

  /// Makes a handler.
  ///
  /// - Parameters:
  ///   - node: whose operator asks.
  ///   - collector: of its status.
  ///   - registry: of its metrics.
  ///   - site: by which names the operator may change something.
  ///   - control: nginx-rtmp's verbs.
  ///   - drain: begins to drain the node; returns at once.
  package init(
    node: OriginNode, collector: StatusCollector, registry: MetricRegistry,
    site: OperatorSite, control: StreamControl, drain: @escaping @Sendable () -> Void
  ) {
    self.node = node
    let page = StatusPage()
    self.page = PreparedResponse(
      fields: [
        ("content-type", StatusPage.contentType), ("cache-control", "no-store"),
        ("content-security-policy", page.contentSecurityPolicy),
        ("x-content-type-options", "nosniff"),
      ], body: page.bytes, allowsAnyOrigin: false)
    stylesheet = PreparedResponse(
      fields: [
        ("content-type", StatisticsDocument.stylesheetContentType),
        ("cache-control", "max-age=3600"),
      ], body: StatisticsDocument.stylesheet, allowsAnyOrigin: false)
    transform = PreparedResponse(
      fields: [
        ("content-type", StatisticsDocument.transformContentType),
        ("cache-control", "max-age=3600"),
      ], body: StatisticsDocument.transform, allowsAnyOrigin: false)
    status = APICall(bodyLimit: 0) { _ in
      guard let json = try? await collector.status().json() else {
        return .json(.internalServerError, [])
      }
      return .json(.ok, json)
    }
    statistics = APICall(bodyLimit: 0) { _ in
      Self.document(
        StatisticsDocument.contentType, StatisticsDocument(await collector.status()).bytes())
    }
    metrics = APICall(bodyLimit: 0) { _ in
      Self.document(MetricRegistry.contentType, registry.text())
    }
    self.control = APICall(bodyLimit: 4_096) { request in
      if let words = site.objection(to: request.request) { return Self.foreign(words) }
      let (status, text) = await control.perform(request.request.path ?? "")
      return Self.document("text/plain; charset=utf-8", Array(text.utf8), status)
    }
    self.drain = APICall(bodyLimit: 4_096) { request in
      if let words = site.objection(to: request.request) { return Self.foreign(words) }
      guard request.request.method == .post else {
        return Self.document(
          "text/plain; charset=utf-8", Array("POST /drain begins to drain the node\n".utf8),
          .methodNotAllowed)
      }
      drain()
      return Self.document("text/plain; charset=utf-8", Array("draining\n".utf8), .accepted)
    }
  }

  public override func handle(
    _ request: borrowing Request, _ exchange: borrowing Exchange
  ) -> Response {
    if request.pathIs("/") { return .prepared(page) }
    if request.pathIs("/healthz") { return .prepared(Self.alive) }
    if request.pathIs("/readyz") { return .prepared(node.health.readiness) }
    if request.pathIs("/metrics") { return .deferred(metrics) }
    if request.pathIs("/api/status") { return .deferred(status) }
    if request.pathIs("/stat") { return .deferred(statistics) }
    if request.pathIs("/stat.css") { return .prepared(stylesheet) }
    if request.pathIs("/stat.xsl") { return .prepared(transform) }
    if request.pathStarts(with: "/control/") { return .deferred(control) }
    if request.pathIs("/drain") { return .deferred(drain) }
    return .prepared(Self.notFound)
  }

  private static func text(_ text: String) -> PreparedResponse {
    PreparedResponse(
      fields: [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")],
      body: Array(text.utf8), allowsAnyOrigin: false)
  }

  /// What a page of another site gets that tries to end streams from an operator's browser.
  private static func foreign(_ words: String) -> APIResponse {
    document("text/plain; charset=utf-8", Array("\(words)\n".utf8), .forbidden)
  }

  private static func document(
    _ type: String, _ body: [UInt8], _ status: HTTPResponse.Status = .ok
  ) -> APIResponse {
    var response = HTTPResponse(status: status)
    response.headerFields[.contentType] = type
    response.headerFields[.cacheControl] = "no-store"
    return APIResponse(response, body: body)
  }
}
