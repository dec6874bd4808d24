import Cache
package import HTTPClient
import HTTPTypes
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// A cache in front of an HTTP origin, for all loops of a node.
///
/// One request to the origin for each object, however many wait for it; all of them get bytes as the
/// origin sends them.
package final class EdgeProxy: Sendable {
  package let configuration: EdgeConfiguration
  let store: EdgeStore
  private let client: HTTPClient
  private let flights = FlightTable<EdgeAnswer>()
  /// Responses to be kept whose heads have come and whose bodies are on their way.
  private let fills = Mutex<[CacheKey: EdgeFill]>([:])
  private let scheme: String
  private let authority: String

  /// Makes a cache without anything in it.
  ///
  /// - Parameters:
  ///   - configuration: its upstream must be an address.
  ///   - client: asks the origin.
  package init(_ configuration: EdgeConfiguration, client: HTTPClient) {
    self.configuration = configuration
    self.client = client
    store = EdgeStore(bytes: configuration.memoryBytes, count: configuration.memoryCount)
    let parts = configuration.upstream.split(separator: "/", omittingEmptySubsequences: true)
    scheme = configuration.upstream.hasPrefix("https") ? "https" : "http"
    authority = parts.count > 1 ? String(parts[1]) : ""
  }

  var now: Int64 { Int64(time(nil)) }

  // MARK: Asking

  /// Answers a request for which nothing that is kept will do.
  ///
  /// - Parameters:
  ///   - request: as the client asked it.
  ///   - name: `host/path?query`.
  ///   - isShared: false where the client wants nothing from a cache and leaves nothing in it.
  ///   - done: called once, from any thread.
  func ask(
    _ request: HTTPRequest, name: String, isShared: Bool,
    done: @escaping @Sendable (EdgeAnswer) -> Void
  ) {
    let (entry, key) = store.find(name, request.headerFields)
    var order = EdgeFetch.Order(
      request: request, name: name, key: key, stored: nil, isShared: isShared)
    guard isShared else { return fetch(order, done) }
    switch entry {
    case .object(let object): order.stored = object
    case .alone(let until) where until > now:
      order.isShared = false
      return fetch(order, done)
    case .alone, .chosen, nil: break
    }
    if let fill = fills.withLock({ $0[key] }), fill.isFor(request.headerFields) {
      return done(.filling(fill))
    }
    let asked = order
    switch flights.join(key, { [self] answer in join(asked, answer, done) }) {
    case .lead:
      fetch(order) { [self] answer in
        if case .filling(let fill) = answer, fill.outcome.isStored {
          fills.withLock { $0[key] = fill }
        }
        done(answer)
        flights.land(key, answer)
      }
    case .wait: break
    case .full: done(.failed(.unreachable("Too many wait for this object.")))
    }
  }

  /// What one gets who waited for what another has asked for.
  private func join(
    _ order: EdgeFetch.Order, _ answer: EdgeAnswer, _ done: @escaping @Sendable (EdgeAnswer) -> Void
  ) {
    switch answer {
    case .filling(let fill) where !fill.isFor(order.request.headerFields): alone(order, done)
    case .filling, .object, .failed: done(answer)
    case .alone: alone(order, done)
    }
  }

  private func alone(
    _ order: EdgeFetch.Order, _ done: @escaping @Sendable (EdgeAnswer) -> Void
  ) {
    var order = order
    order.isShared = false
    fetch(order, done)
  }

  private func fetch(
    _ order: EdgeFetch.Order, _ done: @escaping @Sendable (EdgeAnswer) -> Void
  ) {
    var fields = EdgeFields.asked(order.request.headerFields, isShared: order.isShared)
    if order.isShared, let stored = order.stored {
      for field in Validation.conditions(for: stored.response.headerFields) { fields.append(field) }
    }
    let request = upstreamRequest(order.request, fields)
    let fetch = EdgeFetch(order, self, land: done)
    do throws(HTTPClientError) {
      fetch.began(
        try client.stream(
          request, headDeadline: configuration.headTimeout, stall: configuration.stallTimeout,
          to: fetch))
    } catch {
      fetch.ended(error)
    }
  }

  private func upstreamRequest(_ request: HTTPRequest, _ fields: HTTPFields) -> HTTPRequest {
    HTTPRequest(
      method: request.method, scheme: scheme, authority: authority, path: request.path ?? "/",
      headerFields: fields)
  }

  /// Asks anew for what is served stale meanwhile.
  func refresh(_ request: HTTPRequest, name: String) {
    ask(request, name: name, isShared: true) { answer in
      // What isn't kept is of use to nobody: its only reader leaves, which ends it.
      if case .filling(let fill) = answer { _ = fill.body.join() }
    }
  }

  /// Who reads what is on its way, for metrics.
  var readers: Int {
    fills.withLock { $0.values.reduce(0) { $0 + $1.body.readers } }
  }

  // MARK: Told by fetches

  func cannotShare(_ order: EdgeFetch.Order) {
    store.setAlone(order.key, name: order.name, until: now + configuration.aloneFor)
  }

  /// Its body has come, or will not.
  func landed(_ order: EdgeFetch.Order) {
    guard order.isShared else { return }
    fills.withLock { _ = $0.removeValue(forKey: order.key) }
  }

  // MARK: Other methods

  /// Hands a request on that isn't GET or HEAD, and forgets what its success makes untrue
  /// (RFC 9111, 4.4).
  ///
  /// - Parameters:
  ///   - request: as the client asked it.
  ///   - body: of the request.
  ///   - name: `host/path?query`.
  /// - Returns: the origin's answer.
  /// - Throws: why there is none.
  func forward(
    _ request: HTTPRequest, body: [UInt8], name: String
  ) async throws(EdgeFailure) -> (HTTPResponse, [UInt8]) {
    let fields = EdgeFields.asked(request.headerFields, isShared: false)
    do throws(HTTPClientError) {
      let (response, content) = try await client.send(
        upstreamRequest(request, fields), body: body, deadline: configuration.headTimeout,
        maxResponseBytes: configuration.answerBytes)
      if (200..<400).contains(response.status.code), !Self.isSafe(request.method) {
        store.purge(name)
        for field in [HTTPField.Name.location, .contentLocation] {
          if let place = response.headerFields[field],
            let other = EdgeAddress.resolve(place, against: name)
          {
            store.purge(other)
          }
        }
      }
      return (EdgeFields.kept(response, at: now), content)
    } catch {
      let words = "The origin gave no answer: \(error.message)"
      throw error.code == .timedOut ? .late(words) : .unreachable(words)
    }
  }

  private static func isSafe(_ method: HTTPRequest.Method) -> Bool {
    [.get, .head, .options, .trace].contains(method)
  }
}
