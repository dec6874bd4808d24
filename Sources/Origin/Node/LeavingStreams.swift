import EventLoop
import Ingest
import Media
import Telemetry

/// The streams of one loop whose publisher has gone, until nothing of them is on it any more.
///
/// Confined to its loop.
final class LeavingStreams {
  /// What ends a publisher's part of its stream, for a reason; the closure is called when nothing
  /// of it is on the loop any more.
  typealias Interrupt = (_ reason: PublicationEnd, _ done: @escaping () -> Void) -> Void

  private struct Leaving {
    /// What waits for the end of it.
    var waiting: [() -> Void] = []
    /// What is kept back, and until when.
    var held: (reason: PublicationEnd, interrupt: Interrupt, timer: ScheduledWork)?
  }

  private let loop: Loop
  /// Counts streams of which a part was kept back.
  private let kept: Counter
  private var streams: [StreamKey: Leaving] = [:]

  init(on loop: Loop, counting kept: Counter) {
    self.loop = loop
    self.kept = kept
  }

  var isEmpty: Bool { streams.isEmpty }

  /// A stream's publisher has gone.
  ///
  /// - Parameters:
  ///   - key: the stream.
  ///   - reason: why.
  ///   - patience: how long it is kept back whether another node has the stream by then.
  ///   - interrupt: ends it.
  func begin(
    _ key: StreamKey, _ reason: PublicationEnd, after patience: Duration,
    _ interrupt: @escaping Interrupt
  ) {
    streams[key] = Leaving()
    guard patience > .zero else { return end(key, reason, interrupt) }
    kept.increment()
    let timer = loop.schedule(after: patience) { [weak self] in self?.hurry(key) }
    streams[key]?.held = (reason, interrupt, timer)
  }

  /// What is kept back of a stream is so no longer.
  ///
  /// - Parameters:
  ///   - key: the stream.
  ///   - reason: why its publisher has gone, where more is known by now.
  func hurry(_ key: StreamKey, _ reason: PublicationEnd? = nil) {
    guard let held = streams[key]?.held else { return }
    streams[key]?.held = nil
    loop.cancel(held.timer)
    end(key, reason ?? held.reason, held.interrupt)
  }

  private func end(_ key: StreamKey, _ reason: PublicationEnd, _ interrupt: Interrupt) {
    interrupt(reason) { [self] in
      for work in streams.removeValue(forKey: key)?.waiting ?? [] { work() }
    }
  }

  /// Calls when nothing of a stream is on this loop any more; keeps nothing back for that.
  func whenGone(_ key: StreamKey, _ work: @escaping () -> Void) {
    hurry(key)
    if streams[key] == nil { work() } else { streams[key]?.waiting.append(work) }
  }

  /// Calls when nothing is on this loop any more of any stream.
  func whenAllAreGone(_ work: @escaping () -> Void) {
    guard let key = streams.keys.first else { return work() }
    whenGone(key) { [self] in whenAllAreGone(work) }
  }
}
