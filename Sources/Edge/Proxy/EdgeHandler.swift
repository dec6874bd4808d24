import Cache
import EventLoop
package import HTTPSemantics
package import HTTPServer
import HTTPTypes

/// Answers viewers of one loop from the cache, and has the rest asked for.
package final class EdgeHandler: RequestHandler {
  private let proxy: EdgeProxy
  private let loop: Loop
  private let server: LoopServer
  private let late: PreparedResponse
  private let overloaded: PreparedResponse
  private let notKept: PreparedResponse
  private let unescaped: PreparedResponse
  private let counts: EdgeMetrics.Cells
  private let routing: EdgeRouting
  /// Where an address is put together.
  private var scratch: [UInt8] = []

  /// - Parameters:
  ///   - proxy: of the node.
  ///   - metrics: of that.
  ///   - server: of the loop.
  ///   - routing: what it answers for.
  package init(
    _ proxy: EdgeProxy, _ metrics: EdgeMetrics, on server: LoopServer,
    routing: EdgeRouting = .upstreams
  ) {
    self.proxy = proxy
    self.routing = routing
    counts = metrics.cells()
    self.server = server
    loop = server.loop
    late = EdgeFailure.response(
      504, code: "origin_late", "The origin has not answered in time; ask again in a moment.")
    overloaded = EdgeFailure.response(
      503, code: "overloaded", "Too many requests wait for the origin; try again soon.")
    unescaped = .error(
      400, code: "bad_target",
      message: "The address has a character that has to be escaped (RFC 3986, 2.1).")
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
    if routing.heedsClients, request.has(.cacheControl) || request.has(.pragma) {
      directives = RequestDirectives(request.cacheFields)
    }
    var entry = proxy.store.entry(key)
    if case .chosen(let rule, _) = entry {
      let copy = HTTPRequest(copying: request, isSecure: true)
      entry = proxy.store.entry(
        proxy.store.key(routing.name(of: request), rule, copy.headerFields))
    }
    let freshness = entry?.freshness
    let rules = proxy.configuration.rules
    let ttl = freshness?.remaining(at: now) ?? 0
    var outcome: CacheOutcome?
    switch Reuse(freshness, for: directives, rules: rules, at: now) {
    case .fresh: outcome = .hit(ttl: ttl)
    case .staleAllowed: outcome = .stale(ttl: ttl)
    case .staleWhileRevalidate:
      refresh(request)
      outcome = .updating(ttl: ttl)
    case .unavailable: return .prepared(notKept)
    case .bypass: return ask(request, exchange, isShared: false)
    case .validate: break
    }
    switch (entry, outcome) {
    case (.object(let object), let outcome?): return kept(object, outcome, at: now)
    case (.sliced(let object), let outcome?): return sliced(object, outcome, request, exchange)
    default: return ask(request, exchange, isShared: request.method == .get)
    }
  }

  /// Has what is served stale asked for anew.
  private func refresh(_ request: borrowing Request) {
    let copy = HTTPRequest(copying: request, isSecure: true)
    let name = routing.name(of: request)
    routing.question(for: copy) { [proxy, routing] question in
      proxy.refresh(
        question.request, name: name, from: question.pool, mayBeCut: routing.mayBeCut)
    }
  }

  /// What is kept, as it is sent.
  private func kept(_ object: EdgeObject, _ outcome: CacheOutcome, at now: Int64) -> Response {
    counts.count(outcome)
    return .prepared(object.prepared(outcome, of: proxy.configuration.name, at: now))
  }

  private func key(_ request: borrowing Request) -> CacheKey {
    scratch.removeAll(keepingCapacity: true)
    routing.append(nameOf: request, to: &scratch)
    return proxy.store.key(bytes: scratch)
  }

  // MARK: The origin

  /// Whether upstreams can be asked for it: there is no telling which address is meant otherwise.
  private static func isEscaped(_ request: borrowing Request) -> Bool {
    request.withTarget { target in
      for index in target.indices {
        let byte = target[index]
        guard (0x21...0x7e).contains(byte), byte != UInt8(ascii: "#") else { return false }
      }
      return true
    }
  }

  /// Keeps a request until there is an answer; nil where too many wait.
  private func hold(
    _ request: borrowing Request, _ exchange: borrowing Exchange
  ) -> (token: HeldRequest, copy: HTTPRequest)? {
    let timeout = proxy.configuration.headTimeout + .seconds(1)
    guard let token = exchange.hold(request, for: timeout, otherwise: late) else { return nil }
    var copy = HTTPRequest(copying: request, isSecure: true)
    routing.mark(&copy, from: exchange.client)
    return (token, copy)
  }

  private func ask(
    _ request: borrowing Request, _ exchange: borrowing Exchange, isShared: Bool
  ) -> Response {
    guard Self.isEscaped(request) else { return .prepared(unescaped) }
    guard let (token, copy) = hold(request, exchange) else { return .prepared(overloaded) }
    ask(copy, isShared: isShared, for: token)
    return .held(token)
  }

  private func ask(
    _ request: HTTPRequest, isShared: Bool, for token: HeldRequest, tries: Int = 0
  ) {
    let name = routing.name(of: request)
    routing.question(for: request) {
      [proxy, routing, link = EdgeLink(self), mailbox = loop.mailbox] question in
      proxy.ask(
        question.request, name: name, isShared: isShared, from: question.pool,
        patience: question.patience, mayBeCut: routing.mayBeCut, isOwn: question.isOwn,
        on: mailbox
      ) { answer in
        link.handler?.answer(token, answer, to: request, from: question.pool, tries: tries)
      }
    }
  }

  /// Called on the loop with what has come of a request.
  private func answer(
    _ token: HeldRequest, _ answer: EdgeAnswer, to request: HTTPRequest,
    from pool: UpstreamPool?, tries: Int
  ) {
    let now = proxy.now
    switch answer {
    case .object(let object, let outcome):
      counts.count(outcome)
      let prepared = object.prepared(outcome, of: proxy.configuration.name, at: now)
      server.release(token, with: .prepared(prepared), to: request)
    case .sliced(let object, let outcome):
      sliced(object, outcome, to: request, from: pool, for: token, tries: tries)
    case .filling(let fill, _)
    where !fill.outcome.isStored && !fill.outcome.isForwarded
      && request.headerFields[.range] != nil:
      // Too large to be kept: who wants its end is not to wait for all that stands before it. The
      // whole is of no use to this one; whoever else reads it goes on.
      _ = fill.body.join()
      ask(request, isShared: false, for: token)
    case .filling(let fill, let isJoined):
      // Told too late, of what is no longer kept, or was given up: its beginning has gone.
      guard let reader = fill.body.join() else {
        return again(token, request, isShared: !fill.outcome.isForwarded, tries: tries)
      }
      let outcome = isJoined ? fill.outcome.collapsed : fill.outcome
      counts.count(outcome)
      let response = response(fill, reader, outcome, to: request, at: now)
      server.release(token, with: response, to: request)
    case .failed(let failure): fail(token, failure, request)
    case .alone, .purged: ask(request, isShared: false, for: token)
    }
  }

  /// Has something asked for anew, but not again and again.
  private func again(_ token: HeldRequest, _ request: HTTPRequest, isShared: Bool, tries: Int) {
    guard server.isHeld(token) else { return }
    guard tries < Self.mostTries else {
      return fail(token, .unreachable("The response has gone; ask again."), request)
    }
    ask(request, isShared: isShared, for: token, tries: tries + 1)
  }

  // MARK: Slices

  /// Answers from an object that is kept in slices: at once where the first that is wanted is here.
  private func sliced(
    _ object: SlicedObject, _ outcome: CacheOutcome, _ request: borrowing Request,
    _ exchange: borrowing Exchange
  ) -> Response {
    let copy = HTTPRequest(copying: request, isSecure: true)
    let isHere = object.first(for: copy).map { proxy.store.has(slice: $0, of: object) } ?? true
    if isHere, let question = routing.question(for: copy) {
      counts.count(outcome)
      return object.answer(
        proxy.order(copy, for: object, from: question.pool), outcome, proxy.slices,
        of: proxy.configuration.name, at: proxy.now)
    }
    guard let (token, copy) = hold(request, exchange) else { return .prepared(overloaded) }
    routing.question(for: copy) { [link = EdgeLink(self), mailbox = loop.mailbox] question in
      mailbox.submit { _ in
        link.handler?.sliced(
          object, outcome, to: copy, from: question.pool, for: token, tries: 0)
      }
    }
    return .held(token)
  }

  /// Answers once the first slice that is wanted is on its way: until then another version may turn
  /// out to be there.
  private func sliced(
    _ object: SlicedObject, _ outcome: CacheOutcome, to request: HTTPRequest,
    from pool: UpstreamPool?, for token: HeldRequest, tries: Int
  ) {
    let order = proxy.order(request, for: object, from: pool)
    guard let first = object.first(for: request), proxy.slices.here(first, of: object) == nil else {
      return release(token, object, outcome, order)
    }
    let mailbox = loop.mailbox
    let link = EdgeLink(self)
    let isKept = proxy.store.mayHave(slice: first, of: object)
    proxy.slices.find(first, of: object, for: order) { found in
      mailbox.submit { _ in
        guard let handler = link.handler else { return }
        switch found {
        case .bytes, .filling:
          let outcome = isKept ? outcome : .miss(stored: true, collapsed: false)
          handler.release(token, object, outcome, order)
        case .changed where tries < Self.mostTries:
          handler.ask(request, isShared: true, for: token, tries: tries + 1)
        case .changed:
          handler.fail(
            token, .unreachable("The origin has another version with each answer."), request)
        case .failed(let failure): handler.fail(token, failure, request)
        }
      }
    }
  }

  /// How often an object is asked for anew that has become another one, or has gone.
  private static let mostTries = 3

  private func release(
    _ token: HeldRequest, _ object: SlicedObject, _ outcome: CacheOutcome,
    _ order: EdgeFetch.Order
  ) {
    counts.count(outcome)
    let response = object.answer(
      order, outcome, proxy.slices, of: proxy.configuration.name, at: proxy.now)
    server.release(token, with: response, to: order.request)
  }

  private func fail(_ token: HeldRequest, _ failure: EdgeFailure, _ request: HTTPRequest) {
    counts.countFailure()
    server.release(token, with: .prepared(failure.response(to: request)), to: request)
  }

  // MARK: What is on its way

  private func response(
    _ fill: EdgeFill, _ reader: FillReader, _ outcome: CacheOutcome, to request: HTTPRequest,
    at now: Int64
  ) -> Response {
    let name = proxy.configuration.name
    let status = fill.status
    let part = EdgePart(
      request, fill.response, length: fill.length, isForwarded: fill.outcome.isForwarded)
    switch part {
    case .whole where status == 204 || status == 304:
      return .prepared(EdgeHandler.bodiless(status, fill.fields(outcome, of: name, at: now)))
    case .whole:
      return .streamed(
        StreamedResponse(
          head: fill.head(outcome, of: name, at: now), contentLength: fill.length,
          source: FillSource(reader)))
    case .part(let range, let length):
      return .streamed(
        StreamedResponse(
          status: 206,
          fields: fill.fields(outcome, of: name, at: now) + [
            ("content-range", ContentRange(range, total: length).text)
          ],
          contentLength: range.count, source: FillSource(reader, range: range)))
    case .notModified:
      let kept = fill.fields(outcome, of: name, at: now).filter {
        !["content-type", "content-encoding"].contains($0.name)
      }
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
    guard Self.isEscaped(request) else { return .prepared(unescaped) }
    counts.count(.method)
    let (proxy, routing) = (proxy, routing)
    let name = routing.name(of: request)
    return .deferred(
      APICall(bodyLimit: proxy.configuration.requestBytes) { call in
        do throws(EdgeFailure) {
          let pool = await routing.pool(for: call.request, body: call.body)
          var request = call.request
          routing.mark(&request, from: call.client)
          let (response, body) = try await proxy.forward(
            request, body: call.body, name: name, to: pool)
          var answer = APIResponse(response, body: body)
          // This node names itself at sending.
          answer.response.headerFields[.server] = nil
          let outcome = CacheOutcome.method
          answer.response.headerFields[.xCacheStatus] = outcome.word
          answer.response.headerFields[.cacheStatus] = outcome.status(
            of: proxy.configuration.name)
          return answer
        } catch {
          return error.apiResponse
        }
      })
  }
}

/// A handler as others may hold it, who must not touch it: it is its loop's.
private final class EdgeLink: @unchecked Sendable {
  // Unchecked: it is read on the handler's loop alone.
  private(set) weak var handler: EdgeHandler?

  init(_ handler: EdgeHandler) { self.handler = handler }
}
