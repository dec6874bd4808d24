import Edge
import HTTPClient
import HTTPTypes
import Logging
import Operator
import ServiceLifecycle
import Telemetry

/// Says whether any of `edge.upstreams` answers, as `OriginsService` does of a cluster's origins.
///
/// An edge that has had no answer yet isn't ready: nobody would get anything of it. One whose
/// upstreams have gone stays so, and says it: it has what it keeps, and all other edges have lost
/// the same ones, so that a balancer would be left with nothing.
///
/// Why each of them gives no answer is said in the log when it is new, and on the status page;
/// without addresses at `/readyz`.
struct UpstreamsService: Service {
  /// What `/readyz` says until one has answered.
  static let waiting = "no upstream has answered yet (edge.upstreams)"
  private static let gone = "no upstream answers (edge.upstreams); what is kept is served"

  let pool: UpstreamPool
  let client: HTTPClient
  let health: Health
  /// How often they are asked while none is known to answer.
  let pause: Duration
  /// How long each may take to answer.
  let patience: Duration
  let registry: MetricRegistry
  let logger: Logger

  func run() async throws {
    let gauge = registry.gauge(
      "wedlive_edge_upstreams_answer",
      help: "Whether an upstream of edge.upstreams answers: 1, or 0 where none does.")
    await cancelWhenGracefulShutdown {
      var isKnown = false
      var answered: Bool?
      var problems: [Upstream: HTTPClientError] = [:]
      while !Task.isCancelled {
        // What viewers ask for tells it, while one answers: those that failed are tried again after
        // a while, which says nothing of them yet.
        let isToldByViewers = isKnown && answered != false && !pool.areAllResting
        if !isToldByViewers {
          let before = problems
          problems = await ask {
            isKnown = true
            note(nil, isKnown: true, isNews: answered == false)
            answered = true
            gauge.set(1)
          }
          guard !Task.isCancelled else { return }
          let isNews = say(problems, unlike: before)
          if problems.count == pool.members.count {
            note(problems, isKnown: isKnown, isNews: isNews || answered != false)
            answered = false
            gauge.set(0)
          }
        }
        try? await Task.sleep(for: pause)
      }
    }
  }

  /// Says how things stand.
  ///
  /// - Parameters:
  ///   - problems: of all upstreams; nil where one answers.
  ///   - isKnown: whether one has ever answered.
  ///   - isNews: whether the log is told.
  private func note(_ problems: [Upstream: HTTPClientError]?, isKnown: Bool, isNews: Bool) {
    guard let problems else {
      health.set(waiting: nil)
      health.set(remark: nil)
      if isNews { logger.notice("upstreams answer") }
      return
    }
    let causes = Set(problems.values.map { Self.cause($0) }).sorted().joined(separator: "; ")
    let words = problems.map { "\($0.key): \($0.value)" }.sorted().joined(separator: "; ")
    if isKnown {
      health.set(remark: "\(Self.gone): \(causes)", detail: words)
    } else {
      health.set(waiting: "\(Self.waiting): \(causes)", detail: words)
    }
    guard isNews else { return }
    logger.warning(
      "no upstream answers",
      metadata: ["upstreams": "\(pool.members.map { "\($0.upstream)" }.joined(separator: " "))"])
  }

  /// Says in the log why upstreams don't answer, where that is new; whether anything is.
  private func say(
    _ problems: [Upstream: HTTPClientError], unlike before: [Upstream: HTTPClientError]
  ) -> Bool {
    let news = problems.filter { before[$0.key]?.code != $0.value.code }
    for (upstream, error) in news.sorted(by: { "\($0.key)" < "\($1.key)" }) {
      logger.warning(
        "an upstream doesn't answer",
        metadata: [
          "upstream": "\(upstream)", "error": "\(error)", "cause": "\(Self.cause(error))",
        ])
    }
    return !news.isEmpty
  }

  /// Why an upstream gives no answer, for everybody: it names nobody.
  static func cause(_ error: HTTPClientError) -> String {
    switch error.code {
    case .tls:
      "its certificate isn't trusted or isn't for that name, or it speaks no TLS (edge.ca, edge.upstreams)"
    case .unresolved: "its name isn't known"
    case .unreachable: "there is no connection to it"
    case .timedOut: "it takes too long (edge.probe_timeout)"
    case .interrupted, .brokenResponse, .tooLarge: "what it answers is no HTTP"
    case .badRequest, .cancelled, .overloaded, .closed, .internalFailure:
      "this node couldn't ask it"
    }
  }

  /// Asks all of them at once; any answer at all will do.
  ///
  /// - Parameter answered: called at the first answer: whoever waits for that shall not wait for
  ///   the rest.
  /// - Returns: why those that gave none didn't.
  private func ask(_ answered: () -> Void) async -> [Upstream: HTTPClientError] {
    await withTaskGroup(of: (Upstream, HTTPClientError?).self) { group in
      for member in pool.members {
        group.addTask { (member.upstream, await problem(of: member.upstream)) }
      }
      var problems: [Upstream: HTTPClientError] = [:]
      var isFirst = true
      for await (upstream, problem) in group {
        if let problem { problems[upstream] = problem }
        if problem == nil, isFirst {
          isFirst = false
          answered()
        }
      }
      return problems
    }
  }

  private func problem(of upstream: Upstream) async -> HTTPClientError? {
    let request = HTTPRequest(
      method: .head, scheme: upstream.scheme, authority: upstream.authority, path: "/")
    do throws(HTTPClientError) {
      _ = try await client.send(request, deadline: patience)
      return nil
    } catch {
      return error
    }
  }
}
