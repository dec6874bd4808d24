import EventLoop
import HTTP1
import HTTP2

// How a connection is let go of while its client may be about to ask for more.
extension Connection {
  /// Says that the end is near.
  ///
  /// A client may have a request on its way that crosses this: it is still answered.
  func beginDrain() {
    isLeaving = true
    http2?.announceShutdown()
    if let http1, http1.phase != .head { http1.framing.keepsAlive = false }
    loop.flushLater(self)
  }

  /// The next request is to come over another connection.
  func leave() {
    if !isLeaving { server.letGo(self) }
  }

  /// A round trip later: no new request is taken, and the last answer ends the connection.
  ///
  /// One whose handshake or request is still coming in ends with its first answer.
  func endDrain() {
    if let http2 {
      http2.shutDown()
      finish(.drained)
    } else if let http1, http1.phase == .head, !http1.hasPartialHead {
      finish(.drained)
    }
  }
}
