package import Events
import HLS
package import Logging
import Media
import Synchronization
package import Telemetry
import Transcode

/// Tells the operator how the ladders of all streams do: metrics, a log line for each event, and
/// `error.occurred` for what viewers can see.
package final class LadderReporter: Sendable {
  private let errands: Errands
  private let events: EventBus
  private let logger: Logger
  private let started: Counter
  private let lost: Counter
  private let paused: Counter
  private let own: Counter
  private let substituted: Counter
  private let lag: Histogram
  /// The step that each stream's worker was at last.
  private let steps = Mutex<[StreamKey: Int]>([:])

  package init(
    _ registry: MetricRegistry, errands: Errands, events: EventBus, logger: Logger
  ) {
    self.errands = errands
    self.events = events
    self.logger = logger
    started = registry.counter(
      "wedlive_transcode_workers_started_total", help: "Transcode workers that were started.")
    lost = registry.counter(
      "wedlive_transcode_workers_lost_total",
      help: "Transcode workers that crashed, hung or fell too far behind.")
    paused = registry.counter(
      "wedlive_transcode_pauses_total",
      help: "How often a stream went on without its ladder after losing too many workers.")
    own = registry.counter(
      "wedlive_transcode_segments_total", help: "Segments of rungs, by where they came from.",
      labels: ["from": "encoder"])
    substituted = registry.counter(
      "wedlive_transcode_segments_total", help: "Segments of rungs, by where they came from.",
      labels: ["from": "other_rendition"])
    lag = registry.histogram(
      "wedlive_transcode_lag_seconds", help: "How far workers are behind, once a second.",
      bounds: [0.1, 0.25, 0.5, 1, 2, 4, 8, 16])
  }

  func note(_ key: StreamKey, _ notice: LadderNotice) {
    switch notice {
    case .started(let processID):
      started.increment()
      steps.withLock { $0[key] = nil }
      log(.info, "transcode.started", key, ["worker": "\(processID)"])
    case .stopped: steps.withLock { $0[key] = nil }
    case .lost(let why):
      lost.increment()
      log(.warning, "transcode.lost", key, ["reason": "\(why)"])
    case .paused(let why):
      lost.increment()
      paused.increment()
      tell(
        key, "transcode_paused",
        "rungs show the source until a transcode worker can be had: \(why)")
      log(
        .error, "transcode.paused", key,
        ["reason": "\(why)", "effect": "rungs show the source until a worker can be had"])
    case .made(.own): own.increment()
    case .made: substituted.increment()
    case .standIn(let rung, .began(let segments)):
      log(
        .warning, "transcode.rung_substituted", key,
        [
          "rung": "\(rung)", "segments": "\(segments)",
          "effect": "every segment of the rung is another rendition's until its encoder catches up",
        ])
    case .standIn(let rung, .ended(let segments)):
      log(
        .notice, "transcode.rung_restored", key,
        ["rung": "\(rung)", "segments_substituted": "\(segments)"])
    case .report(let report): take(report, of: key)
    }
  }

  private func take(_ report: LadderReport, of key: StreamKey) {
    lag.observe(report.lag.seconds)
    let last = steps.withLock { steps in
      defer { steps[key] = report.step == 0 ? nil : report.step }
      return steps[key] ?? 0
    }
    guard report.step != last else { return }
    if report.step > last {
      tell(
        key, "transcode_slow",
        "the encoders can't keep up (\(report.lag.milliseconds) ms behind), so their quality goes "
          + "down to step \(report.step); give the node more cores, or the stream fewer rungs")
    }
    log(
      report.step > last ? .warning : .notice, "transcode.step", key,
      [
        "step": "\(report.step)", "lag_ms": "\(report.lag.milliseconds)",
        "effect": report.step > last ? "lower quality, to keep up" : "better quality again",
      ])
  }

  private func tell(_ key: StreamKey, _ code: String, _ words: String) {
    events.publish(
      Event(
        .errorOccurred, wedding: key.wedding, camera: key.camera,
        data: ["code": .text(code), "message": .text(words)]))
  }

  /// Away from the loop.
  private func log(
    _ level: Logger.Level, _ event: Logger.Message, _ key: StreamKey, _ more: Logger.Metadata
  ) {
    errands.run { [logger] in
      logger.log(
        level: level, event,
        metadata: ["wedding": "\(key.wedding)", "camera": "\(key.camera)"].merging(more) { $1 })
    }
  }
}
