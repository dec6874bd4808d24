import HTTP1
import HTTP2
import EventLoop
extension Connection {
  /// Says that the end is near; an idle HTTP/1.1 connection is closed at once.
  func beginDrain() {
    if let http2 {
      http2.announceShutdown()
      loop.flushLater(self)
    } else if let http1 {
      http1.framing.keepsAlive = false
      finish(.drained)
    } else {
      end(.drained)
    }
  }

  /// A round trip later: no new request is taken, and the last answer ends the connection.
  func endDrain() {
    guard let http2 else { return }
    http2.shutDown()
    finish(.drained)
  }
}
