package import HTTPTypes
import Synchronization
package import Telemetry

/// Sends requests over HTTP/1.1 and HTTP/2 to backends, key servers and storage.
///
/// Connections are kept and reused. Redirects are answers, not followed. Deadlines count from the
/// call, waiting included. Dropping the client, or `close()`, ends what is under way.
package final class HTTPClient: Sendable {
  private let engine: TransferEngine
  private let nextID = Atomic<UInt64>(1)
  private let seconds: Histogram?
  private let metrics: MetricRegistry?

  /// Makes a client and its thread.
  ///
  /// - Parameters:
  ///   - configuration: limits and trust.
  ///   - metrics: where `wedlive_http_client_…` are counted.
  /// - Throws: `.internalFailure` when libcurl or the thread can't start.
  package init(
    _ configuration: HTTPClientConfiguration = HTTPClientConfiguration(),
    metrics: MetricRegistry? = nil
  ) throws(HTTPClientError) {
    engine = try TransferEngine.start(configuration)
    self.metrics = metrics
    seconds = metrics?.histogram(
      "wedlive_http_client_seconds", help: "Time of outbound HTTP exchanges.")
  }

  deinit { engine.close() }

  /// Ends what is under way with `.closed`; later calls get the same.
  package func close() { engine.close() }

  /// Sends a request and returns the whole response.
  ///
  /// Cancelling the task ends the exchange at once.
  ///
  /// - Parameters:
  ///   - request: scheme (`http` or `https`), authority and path must be there.
  ///   - body: sent with its length; ignored for GET and HEAD when empty.
  ///   - deadline: for everything: waiting, resolving, connecting, sending, receiving.
  ///   - maxResponseBytes: of the body; a longer one is an error, nothing of it is returned.
  /// - Returns: the response's head, whatever its status, and its body.
  /// - Throws: what failed, whose fault it was and whether a retry may help.
  package func send(
    _ request: HTTPRequest, body: [UInt8] = [], deadline: Duration,
    maxResponseBytes: Int = 1 << 20
  ) async throws(HTTPClientError) -> (HTTPResponse, [UInt8]) {
    try await send(
      request, body: OutgoingBody(body), deadline: deadline, maxResponseBytes: maxResponseBytes)
  }

  /// Sends a request whose body may come from files.
  ///
  /// - Parameters:
  ///   - request: as above.
  ///   - body: sent with its length.
  ///   - deadline: for everything.
  ///   - stall: the exchange ends with `.timedOut` when hardly a byte has moved for so long, too:
  ///     less than 1,000 a second.
  ///   - maxResponseBytes: of the response's body.
  /// - Returns: the response's head, whatever its status, and its body.
  /// - Throws: what failed, whose fault it was and whether a retry may help.
  package func send(
    _ request: HTTPRequest, body: OutgoingBody, deadline: Duration, stall: Duration? = nil,
    maxResponseBytes: Int = 1 << 20
  ) async throws(HTTPClientError) -> (HTTPResponse, [UInt8]) {
    let id = nextID.wrappingAdd(1, ordering: .relaxed).oldValue
    let start = ContinuousClock.now
    let outgoing = try OutgoingRequest(request, body: body)
    let limits = Transfer.Limits(
      deadline: start + deadline, stall: stall, maxResponseBytes: maxResponseBytes)
    let engine = engine
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        engine.submit(
          Transfer(
            id: id, outgoing: outgoing, limits: limits,
            to: .whole { continuation.resume(returning: $0) }))
      }
    } onCancel: {
      engine.cancel(id)
    }
    engine.forget(id)
    count(result, since: start)
    return try result.get()
  }

  /// Sends a request whose response is taken as it comes.
  ///
  /// - Parameters:
  ///   - request: as above.
  ///   - body: sent with its length.
  ///   - headDeadline: until the response's head has come, waiting and connecting included.
  ///   - stall: it ends with `.timedOut` when no byte has moved for so long, while more is wanted.
  ///   - receiver: is told of everything, in the end with why it ended.
  /// - Returns: the exchange, to cancel it or to go on with it.
  /// - Throws: `.badRequest`; nothing is told to `receiver` then.
  package func stream(
    _ request: HTTPRequest, body: OutgoingBody = .none, headDeadline: Duration,
    stall: Duration, to receiver: any ResponseReceiver
  ) throws(HTTPClientError) -> ResponseStream {
    let id = nextID.wrappingAdd(1, ordering: .relaxed).oldValue
    let start = ContinuousClock.now
    let outgoing = try OutgoingRequest(request, body: body)
    let limits = Transfer.Limits(
      deadline: start + headDeadline, stall: stall, maxResponseBytes: 0)
    let counted = CountedReceiver(receiver, metrics, seconds, engine, id, since: start)
    engine.submit(
      Transfer(id: id, outgoing: outgoing, limits: limits, to: .stream(counted)))
    return ResponseStream(id: id, engine: engine)
  }

  private func count(_ result: Transfer.Outcome, since start: ContinuousClock.Instant) {
    let label =
      switch result {
      case .success(let (response, _)): "\(response.status.code / 100)xx"
      case .failure(let error): error.code.rawValue
      }
    metrics?.count(label, seconds, since: start)
  }
}
