import HTTPTypes
import Synchronization
import Telemetry

/// Counts a stream as other exchanges are, and hands everything on.
final class CountedReceiver: ResponseReceiver {
  private let receiver: any ResponseReceiver
  private let metrics: MetricRegistry?
  private let seconds: Histogram?
  private let engine: TransferEngine
  private let id: UInt64
  private let start: ContinuousClock.Instant
  private let status = Atomic(0)

  init(
    _ receiver: any ResponseReceiver, _ metrics: MetricRegistry?, _ seconds: Histogram?,
    _ engine: TransferEngine, _ id: UInt64, since start: ContinuousClock.Instant
  ) {
    self.receiver = receiver
    self.metrics = metrics
    self.seconds = seconds
    self.engine = engine
    self.id = id
    self.start = start
  }

  func received(head: HTTPResponse) {
    status.store(head.status.code, ordering: .relaxed)
    receiver.received(head: head)
  }

  func received(body: borrowing Span<UInt8>) -> Bool { receiver.received(body: body) }

  func caughtUp() { receiver.caughtUp() }

  func ended(_ problem: HTTPClientError?) {
    engine.forget(id)
    let label = problem?.code.rawValue ?? "\(status.load(ordering: .relaxed) / 100)xx"
    metrics?.count(label, seconds, since: start)
    receiver.ended(problem)
  }
}

extension MetricRegistry {
  /// Counts an exchange by how it ended, and how long it took.
  func count(_ label: String, _ seconds: Histogram?, since start: ContinuousClock.Instant) {
    counter(
      "wedlive_http_client_requests_total", help: "Outbound HTTP exchanges by how they ended.",
      labels: ["result": label]
    ).increment()
    seconds?.observe(ContinuousClock.now - start)
  }
}
