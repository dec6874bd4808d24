import Telemetry
import EventLoop
import HTTP2

// Responses that may not be sent as fast as the client takes them.
extension Connection {
  /// Bounds the next response of a stream.
  func begin(_ pace: Pace, on stream: Int32) {
    guard pace.isBound else { return }
    if self.pace == nil { self.pace = ConnectionPace(pace) }
    self.pace?.begin(stream, pace, at: loop.now)
    server.metrics.shared.paced.increment()
  }

  func isPaced(_ stream: Int32) -> Bool { pace?.isPaced(stream) ?? false }

  /// What a paced response may send now; 0 where it is asked again later.
  func allowance(of stream: Int32) -> Int {
    let granted = pace?.grant(stream, at: loop.now) ?? .max
    if granted == 0 { server.pacer.wait(RequestKey(connection: id, stream: stream)) }
    return granted
  }

  /// A response that had to wait asks again.
  func paceAllows(_ stream: Int32) {
    guard isPaced(stream) else { return }
    http2?.resume(stream)
    http1?.isHeldByPace = false
    loop.flushLater(self)
  }

  func paceEnded(_ stream: Int32) { pace?.end(stream) }
}
