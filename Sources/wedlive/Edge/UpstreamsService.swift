import Edge
import HTTPClient
import HTTPTypes
import Logging
import Operator
import ServiceLifecycle
import Telemetry

/// Says whether any of `edge.upstreams` answers, as `OriginsService` does of a cluster's origins.
///
/// An edge that has had no answer yet isn't ready: nobody would get anything of it. One whose upstreams
/// have gone stays so, and says it: it has what it keeps, and all other edges have lost the same ones, so
/// that a balancer would be left with nothing.
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
      while !Task.isCancelled {
        // What viewers ask for tells it, while one answers: those that failed are tried again after a
        // while, which says nothing of them yet.
        let isToldByViewers = isKnown && answered != false && !pool.areAllResting
        let answers = isToldByViewers ? true : await anyAnswers()
        guard !Task.isCancelled else { return }
        if answers { isKnown = true }
        if answers != answered { note(answers, isKnown: isKnown, isFirst: answered == nil) }
        answered = answers
        gauge.set(answers ? 1 : 0)
        try? await Task.sleep(for: pause)
      }
    }
  }

  private func note(_ answers: Bool, isKnown: Bool, isFirst: Bool) {
    if answers {
      health.set(waiting: nil)
      health.set(remark: nil)
      if !isFirst { logger.notice("upstreams answer") }
    } else {
      if isKnown { health.set(remark: Self.gone) }
      logger.warning(
        "no upstream answers",
        metadata: ["upstreams": "\(pool.members.map { "\($0.upstream)" }.joined(separator: " "))"])
    }
  }

  /// Asks all of them at once; any answer at all will do.
  private func anyAnswers() async -> Bool {
    await withTaskGroup(of: Bool.self) { group in
      for member in pool.members {
        group.addTask {
          let request = HTTPRequest(
            method: .head, scheme: member.upstream.scheme, authority: member.upstream.authority,
            path: "/")
          return (try? await client.send(request, deadline: patience)) != nil
        }
      }
      defer { group.cancelAll() }
      return await group.contains(true)
    }
  }
}
