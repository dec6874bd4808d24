import EventLoop
import Glibc
import Telemetry

/// One direction of a connection that is handed on.
final class ProxyFlow {
  let source: ProxyEnd
  let sink: ProxyEnd
  /// Whether bytes go through a pipe; else, where a side speaks TLS, through the loop's scratch.
  let isSpliced: Bool
  private let counter: Counter
  private let pool: SplicePool
  private let pipes: Gauge
  /// Held while something stands in it.
  private var pipe: SplicePipe?
  /// Whether the sink has to take something before more is read.
  var isBlocked = false
  /// Whether the end of the source was passed on.
  var isDone = false
  /// How many bytes were read.
  private(set) var bytes: UInt64 = 0
  /// How many bytes it takes until it is worth gathering.
  var gathersAt: UInt64 = 64 << 10
  /// How often in a row there was nothing to gather.
  var emptyTicks = 0

  init(from source: ProxyEnd, to sink: ProxyEnd, _ proxy: TCPProxy, counter: Counter) {
    self.source = source
    self.sink = sink
    self.counter = counter
    isSpliced = source.tls == nil && sink.tls == nil
    pool = proxy.pool
    pipes = proxy.metrics.pipes
  }

  /// Takes what the source has; nothing of before may wait.
  ///
  /// - Returns: as a read; `.failed(EMFILE)` also where there is no pipe to be had.
  func fill() -> IOResult {
    let result: IOResult
    if isSpliced {
      guard let pipe = ready() else { return .failed(EMFILE) }
      result = pipe.fill(from: source.descriptor)
      if case .bytes(let count) = result { counted(count) }
    } else {
      var plain = 0
      result = source.receive { bytes in
        plain += bytes.count
        sink.put(bytes)
      }
      counted(plain)
    }
    return result
  }

  /// Hands on what waits.
  ///
  /// - Returns: `.bytes` once nothing waits, `.wouldBlock`, or `.failed` for the sink.
  func deliver() -> IOResult {
    let result = sink.flushOut()
    guard case .bytes = result, let pipe, pipe.count > 0 else { return result }
    return pipe.drain(to: sink.descriptor)
  }

  /// How many bytes a fill takes at most.
  var roomBytes: Int { isSpliced ? pipe?.capacityBytes ?? .max : source.loop.scratchBytes }

  /// Gives the pipe back, with whatever is in it where the connection is over.
  func rest() {
    guard let pipe else { return }
    self.pipe = nil
    pool.give(pipe)
    pipes.decrement()
  }

  private func ready() -> SplicePipe? {
    if let pipe { return pipe }
    guard let taken = try? pool.take() else { return nil }
    pipes.increment()
    pipe = taken
    return taken
  }

  /// Counts bytes of the source.
  func counted(_ count: Int) {
    bytes += UInt64(count)
    counter.add(count)
  }
}
