package import Operator
import EventLoop
package import HTTPSemantics
package import HTTPServer
import HTTPTypes
import Media
package import Telemetry

/// Answers an origin's operator on one loop: the status page, `/stat`, `/control`, and what every
/// node has.
package final class AdminHandler: OperatorHandler {
  private let page: PreparedResponse
  private let stylesheet: PreparedResponse
  private let transform: PreparedResponse
  private let status: APICall
  private let statistics: APICall
  private let control: APICall

  /// Makes a handler.
  ///
  /// - Parameters:
  ///   - node: whose operator asks.
  ///   - collector: of its status.
  ///   - registry: of its metrics.
  ///   - site: by which names the operator may change something.
  ///   - control: nginx-rtmp's verbs.
  ///   - nodes: of the cluster, as JSON; nil where there is none.
  ///   - drainOther: has a node of the cluster drain; nil where there is none.
  ///   - drain: begins to drain the node; returns at once.
  package init(
    node: OriginNode, collector: StatusCollector, registry: MetricRegistry,
    site: OperatorSite, control: StreamControl, nodes: (@Sendable () -> [UInt8])? = nil,
    drainOther: (@Sendable (_ node: String) async -> APIResponse?)? = nil,
    drain: @escaping @Sendable () -> Void
  ) {
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
    status = NodeStatus.call { await collector.status() }
    statistics = APICall(bodyLimit: 0) { _ in
      Self.document(
        StatisticsDocument.contentType, StatisticsDocument(await collector.status()).bytes())
    }
    self.control = APICall(bodyLimit: 4_096) { request in
      if let words = site.objection(to: request.request) { return Self.foreign(words) }
      let (status, text) = await control.perform(request.request.path ?? "")
      return Self.document("text/plain; charset=utf-8", Array(text.utf8), status)
    }
    super.init(
      health: node.health, registry: registry, site: site, nodes: nodes,
      others: ["/stat", "/api/status", "/control/"], drainOther: drainOther, drain: drain)
  }

  public override func handle(
    _ request: borrowing Request, _ exchange: borrowing Exchange
  ) -> Response {
    if request.pathStarts(with: "/control/") {
      // nginx-rtmp's verbs are asked with GET; that is no reason to take all others for one.
      return request.method == .get || request.method == .post
        ? .deferred(control) : .prepared(Self.noVerb.response(to: request.method))
    }
    guard let page = page(request) else { return super.handle(request, exchange) }
    return ReadOnly.answer(request.method) ?? page
  }

  private static let noVerb = WrongMethod(allowed: .get, .post)

  /// What can only be read, of what an origin alone has; nil where that is nothing.
  private func page(_ request: borrowing Request) -> Response? {
    if request.pathIs("/") { return .prepared(page) }
    if request.pathIs("/api/status") { return .deferred(status) }
    if request.pathIs("/stat") { return .deferred(statistics) }
    if request.pathIs("/stat.css") { return .prepared(stylesheet) }
    return request.pathIs("/stat.xsl") ? .prepared(transform) : nil
  }
}
