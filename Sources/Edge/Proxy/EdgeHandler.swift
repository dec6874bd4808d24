import Cache
import EventLoop
package import HTTPSemantics
package import HTTPServer
import HTTPTypes
import Viewers

/// Answers viewers of one loop from the cache, and has the rest asked for.
package final class EdgeHandler: RequestHandler {
  private let proxy: EdgeProxy
  private let loop: Loop
  private let server: LoopServer
  private let late: PreparedResponse
  private let overloaded: PreparedResponse
  private let notKept: PreparedResponse
  private let counts: EdgeMetrics.Cells
  /// Where segments of live streams are; nil for the handler of everything else.
  private let live: EdgeLive?
  /// Whom to ask what only one origin knows; nil where all know the same.
  private let router: EdgeRouter?
  /// Where an address is put together.
  private var scratch: [UInt8] = []

  /// - Parameters:
  ///   - proxy: of the node.
  ///   - metrics: of that.
  ///   - server: of the loop.
  ///   - live: makes it a handler of live segments, which are known by their path alone.
  ///   - streams: of a cluster, each of which is one origin's.
  package init(
    _ proxy: EdgeProxy, _ metrics: EdgeMetrics, on server: LoopServer, live: EdgeLive? = nil,
    knowing streams: EdgeLive? = nil
  ) {
    self.proxy = proxy
    router = streams.map { EdgeRouter(live: $0) }
    self.live = live
    counts = metrics.cells()
    self.server = server
    loop = server.loop
    late = .error(504, code: "origin_late", message: "The origin has not answered in time.")
    overloaded = .error(
      503, code: "overloaded", message: "Too many requests wait for the origin; try again soon.")
    notKept = .error(
      504, code: "not_cached", message: "Nothing that is stored answers this request.")
  }

  public override func handle(
    _ request: borrowing Request, _ exchange: borrowing Exchange
  ) -> Response {
    guard request.method.isRetrieval else { return forward(request) }
    let now = proxy.now
    let key = key(request)
    var directives = RequestDirectives()
    // A segment never changes, so no viewer can have it asked for anew.
    if live == nil, request.has(.cacheControl) || request.has(.pragma) {
      directives = RequestDirectives(request.cacheFields)
    }
    var entry = proxy.store.entry(key)
    if case .chosen(let rule, _) = entry {
      let copy = HTTPRequest(copying: request, isSecure: true)
      entry = proxy.store.entry(proxy.store.key(name(request), rule, copy.headerFields))
    }
    let object: EdgeObject? = if case .object(let found) = entry { found } else { nil }
    let rules = proxy.configuration.rules
    switch Reuse(object?.freshness, for: directives, rules: rules, at: now) {
    case .fresh:
      guard let object else { break }
      return kept(object, .hit(ttl: object.freshness.remaining(at: now)), at: now)
    case .staleAllowed:
      guard let object else { break }
      return kept(object, .stale(ttl: object.freshness.remaining(at: now)), at: now)
    case .staleWhileRevalidate:
      guard let object else { break }
      proxy.refresh(HTTPRequest(copying: request, isSecure: true), name: name(request))
      return kept(object, .updating(ttl: object.freshness.remaining(at: now)), at: now)
    case .unavailable: return .prepared(notKept)
    case .bypass: return ask(request, exchange, isShared: false)
    case .validate: break
    }
    return ask(request, exchange, isShared: request.method == .get)
  }

  /// What is kept, as it is sent.
  private func kept(_ object: EdgeObject, _ outcome: CacheOutcome, at now: Int64) -> Response {
    counts.count(outcome)
    return .prepared(object.prepared(outcome, of: proxy.configuration.name, at: now))
  }

  // MARK: Addresses

  /// `host/path?query`, in the handler's own memory.
  private func key(_ request: borrowing Request) -> CacheKey {
    scratch.removeAll(keepingCapacity: true)
    if live != nil {
      scratch += EdgeLive.namePrefix
      request.withPath { path in for index in path.indices { scratch.append(path[index]) } }
      return proxy.store.key(bytes: scratch)
    }
    request.withAuthority { host in
      for index in host.indices { scratch.append(asciiLowercase(host[index])) }
    }
    request.withTarget { target in
      for index in target.indices { scratch.append(target[index]) }
    }
    return proxy.store.key(bytes: scratch)
  }

  private func name(_ request: borrowing Request) -> String {
    if live != nil { return EdgeLive.name(ofPath: request.path) }
    return request.authority.lowercased() + request.target
  }

  // MARK: The origin

  private func ask(
    _ request: borrowing Request, _ exchange: borrowing Exchange, isShared: Bool
  ) -> Response {
    let timeout = proxy.configuration.headTimeout + .seconds(1)
    guard let token = exchange.hold(request, for: timeout, otherwise: late) else {
      return .prepared(overloaded)
    }
    var copy = HTTPRequest(copying: request, isSecure: true)
    if let router { PeerCall.mark(&copy, from: exchange.client, with: router.live.pass) }
    ask(copy, name: name(request), isShared: isShared, for: token)
    return .held(token)
  }

  private func ask(
    _ request: HTTPRequest, name: String, isShared: Bool, for token: HeldRequest
  ) {
    let mailbox = loop.mailbox
    let link = EdgeLink(self)
    let done: @Sendable (EdgeAnswer) -> Void = { answer in
      mailbox.submit { _ in link.handler?.answer(token, answer, to: request) }
    }
    if let live {
      let (asked, pool) = live.order(path: request.pathWithoutQuery)
      return proxy.ask(
        asked, name: name, isShared: isShared, from: pool,
        patience: live.configuration.segmentStall, done: done)
    }
    let path = request.pathWithoutQuery
    guard let router, path.hasPrefix("/api/") || path.hasPrefix("/hls/") else {
      return proxy.ask(request, name: name, isShared: isShared, done: done)
    }
    Task { [proxy] in
      let pool = await router.find(path, body: [])
      proxy.ask(request, name: name, isShared: isShared, from: pool, done: done)
    }
  }

  /// Called on the loop with what has come of a request.
  private func answer(_ token: HeldRequest, _ answer: EdgeAnswer, to request: HTTPRequest) {
    let now = proxy.now
    switch answer {
    case .object(let object, let outcome):
      counts.count(outcome)
      let prepared = object.prepared(outcome, of: proxy.configuration.name, at: now)
      server.release(token, with: .prepared(prepared), to: request)
    case .filling(let fill, _)
    where !fill.outcome.isStored && !fill.outcome.isForwarded
      && request.headerFields[.range] != nil:
      // Too large to be kept: who wants its end is not to wait for all that stands before it. The
      // whole is of no use to this one; whoever else reads it goes on.
      _ = fill.body.join()
      ask(request, name: name(request), isShared: false, for: token)
    case .filling(let fill, let isJoined):
      let outcome = isJoined ? fill.outcome.collapsed : fill.outcome
      counts.count(outcome)
      server.release(token, with: response(fill, outcome, to: request, at: now), to: request)
    case .failed(let failure):
      counts.countFailure()
      server.release(
        token,
        with: .error(failure.status, code: "origin_failed", message: failure.words), to: request)
    case .alone: ask(request, name: name(request), isShared: false, for: token)
    }
  }

  private func name(_ request: HTTPRequest) -> String {
    live == nil
      ? (request.authority ?? "").lowercased() + (request.path ?? "/")
      : EdgeLive.name(ofPath: request.pathWithoutQuery)
  }

  private func response(
    _ fill: EdgeFill, _ outcome: CacheOutcome, to request: HTTPRequest, at now: Int64
  ) -> Response {
    guard let reader = fill.body.join() else {
      return .error(502, code: "origin_failed", message: "The response has gone; ask again.")
    }
    let age = fill.freshness.age(at: now)
    let fields = EdgeFields.list(
      fill.response.headerFields, age: age > 0 ? age : nil, outcome,
      of: proxy.configuration.name)
    let status = fill.response.status.code
    let part = EdgePart(
      request, fill.response, length: fill.length, isForwarded: fill.outcome.isForwarded)
    switch part {
    case .whole where status == 204 || status == 304:
      return .prepared(EdgeHandler.bodiless(status, fields))
    case .whole:
      return .streamed(
        StreamedResponse(
          status: status, fields: fields, contentLength: fill.length, source: FillSource(reader)))
    case .part(let range, let length):
      return .streamed(
        StreamedResponse(
          status: 206,
          fields: fields + [("content-range", ContentRange(range, total: length).text)],
          contentLength: range.count, source: FillSource(reader, range: range)))
    case .notModified:
      let kept = fields.filter { !["content-type", "content-encoding"].contains($0.name) }
      return .prepared(EdgeHandler.bodiless(304, kept))
    case .refused(let status):
      return .error(
        status, code: status == 412 ? "precondition_failed" : "range_not_satisfiable",
        message: "What the request asks for is not what the origin has.")
    }
  }

  private static func bodiless(
    _ status: Int, _ fields: [(name: String, value: String)]
  ) -> PreparedResponse {
    PreparedResponse(forwarding: status, fields: fields, body: [], validators: Validators())
  }

  // MARK: Other methods

  private func forward(_ request: borrowing Request) -> Response {
    counts.count(.method)
    let (proxy, router) = (proxy, router)
    let name = name(request)
    return .deferred(
      APICall(bodyLimit: proxy.configuration.requestBytes) { call in
        do throws(EdgeFailure) {
          let pool = await router?.find(call.request.pathWithoutQuery, body: call.body)
          var request = call.request
          if let router {
            PeerCall.mark(&request, from: call.client, with: router.live.pass)
          }
          let (response, body) = try await proxy.forward(
            request, body: call.body, name: name, to: pool)
          var answer = APIResponse(response, body: body)
          let outcome = CacheOutcome.method
          answer.response.headerFields[.xCacheStatus] = outcome.word
          answer.response.headerFields[.cacheStatus] = outcome.status(
            of: proxy.configuration.name)
          return answer
        } catch {
          return .error(
            error.status == 504 ? .gatewayTimeout : .badGateway, code: "origin_failed",
            message: error.words)
        }
      })
  }
}

extension HTTPRequest {
  /// The path, without the query.
  fileprivate var pathWithoutQuery: String { String((path ?? "/").prefix { $0 != "?" }) }
}

/// A handler as others may hold it, who must not touch it: it is its loop's.
private final class EdgeLink: @unchecked Sendable {
  // Unchecked: it is read on the handler's loop alone.
  private(set) weak var handler: EdgeHandler?

  init(_ handler: EdgeHandler) { self.handler = handler }
}
