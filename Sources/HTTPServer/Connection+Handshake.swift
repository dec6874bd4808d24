import EventLoop
import HTTP2
import TLS

// How a TLS session begins and ends.
extension Connection {
  func handshakeEnded(_ tls: TLSSession) {
    server.handshakes.remove(id)
    if tls.selectedHTTP2, let workspace = server.workspace {
      stage = .http2
      http2 = HTTP2Session(owner: self, workspace: workspace)
      if http2 == nil { end(.failure) }
    } else {
      stage = .http1
      http1 = HTTP1Exchange()
    }
    if isLeaving, !isClosed { server.letGo(self) }
  }

  func tlsClosed(_ tls: TLSSession) {
    if stage == .handshake {
      server.handshakes.remove(id)
      if tls.closeReason == .plainHTTP { return refusePlainHTTP() }
      stage = .lingering
      return finish(.tls)
    }
    if tls.closeReason == .closeNotify { return inputHasEnded() }
    finish(.tls)
  }

  /// Tells a client that came without TLS what this port speaks; the request itself is not read.
  private func refusePlainHTTP() {
    tls = nil
    stage = .http1
    http1 = HTTP1Exchange()
    closing = .tls
    leavesInput = true
    beginHTTP1Error(server.standard.plainHTTP)
  }
}
