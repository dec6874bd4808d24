import Telemetry
import EventLoop
import HTTP2
import HTTPSemantics
import TLS

extension Connection: HTTP2SessionOwner {
  func ingestHTTP2(_ bytes: borrowing Span<UInt8>) {
    guard let http2 else { return }
    if let violation = http2.receive(bytes, at: loop.now.nanoseconds / 1_000_000) {
      leave(http2, violation)
    }
  }

  /// Queues what fits; returns whether there may be more once that is sent.
  func produceHTTP2(_ http2: HTTP2Session) -> Bool {
    var mayHaveMore = false
    // One call makes one record, or two where a control frame came on top.
    while room >= 2 * TLSBuffers.recordBytes, closing == nil || closing == .drained {
      _ = http2.produce { write($0, $1) }
      if let violation = http2.violation {
        leave(http2, violation)
        return true
      }
      mayHaveMore = http2.mayHaveMore
      if !mayHaveMore { break }
    }
    return mayHaveMore
  }

  /// Tells the client what it did, and closes.
  private func leave(_ http2: HTTP2Session, _ violation: HTTP2Violation) {
    guard closing == nil || closing == .drained else { return }
    server.metrics.violated(violation)
    closing = .http2Violation
    leavesInput = true
    // SETTINGS and whatever else stands before it is dropped: the frame is the last word.
    let goodbye = http2.goodbye(violation)
    if room >= goodbye.count { write(goodbye.span) }
    self.http2 = nil
    loop.flushLater(self)
  }

  func received(
    _ request: borrowing Request, error: RequestError?, on stream: Int32, hasBody: Bool
  ) {
    if let error {
      server.metrics.requests[1].increment()
      return send(stream, server.standard.error(error.status).identity, isHead: false)
    }
    if requestCount >= server.configuration.maximumRequestsPerConnection {
      http2?.shutDown()
    }
    dispatch(request, stream: stream, hasBody: hasBody)
  }

  func receivedBody(_ bytes: borrowing Span<UInt8>, on stream: Int32) {
    bodyReceived(bytes, stream: stream)
  }

  func endedBody(on stream: Int32) { bodyEnded(stream: stream) }

  func nextPiece(of stream: Int32) -> HTTP2Piece {
    switch pull(stream) {
    case .bytes(let bytes, let range):
      return range.isEmpty ? nextPiece(of: stream) : .bytes(bytes, range)
    case .pending: return .pending
    case .end: return .end
    case .failed: return .failed
    }
  }

  func closed(_ stream: Int32, complete: Bool) {
    if let entry = pending.removeValue(forKey: stream) {
      if case .collecting(_, let request) = entry.state { bodyBytes -= request.body.count }
      entry.cancel(server)
    }
    paceEnded(stream)
    sourceEnded(stream)
  }
}
