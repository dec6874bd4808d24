import EventLoop
import HTTP1
import HTTP2
import TLS

// How long a client may take for what it does; `Waiting` says what that is.
extension Connection {
  private var wanted: Waiting {
    if stage == .lingering { return .linger }
    if stage == .handshake || stage == .proxyHeader { return .handshake }
    if hasOutput { return .reader }
    if let http1 {
      switch http1.phase {
      case .head: return http1.hasPartialHead ? .head : .idle
      case .body: return .body
      case .waiting: return .nothing
      case .sending: return bodies.waiting == 0 ? .reader : .nothing
      }
    }
    guard let http2 else { return .idle }
    if http2.isInsideHeaders { return .head }
    if http2.responsesInProgress > bodies.waiting { return .reader }
    if bodyBytes > 0 || http2.awaitsEnds || pending.values.contains(where: \.isCollecting) {
      return .body
    }
    return http2.openStreams > 0 ? .nothing : .idle
  }

  /// Sets the deadline that fits what is waited for.
  func rearm() {
    guard !isClosed else { return }
    let next = wanted
    guard next != waiting || (next == .idle && requestCount != idleMark) else { return }
    waiting = next
    if next == .idle, !isInRestQueue, http2 != nil {
      isInRestQueue = true
      server.watch(id, requests: requestCount)
    }
    idleMark = requestCount
    receivedMark = received
    sentMark = sent
    let limits = server.configuration
    let duration: Duration? =
      switch next {
      case .nothing: nil
      case .handshake: limits.handshakeTimeout
      case .head: limits.headerTimeout
      case .idle: requestCount == 0 ? limits.headerTimeout : limits.idleTimeout
      case .body, .reader: limits.rateInterval
      case .linger: limits.lingerTimeout
      }
    loop.setDeadline(self, duration.map { loop.now + $0 })
  }

  /// What has become of one that was idle when it had had so many requests: if it has been so ever
  /// since, it gives memory back.
  func look(sinceRequests requests: Int) -> RestQueue.Finding {
    if waiting == .idle, requests != requestCount { return .idleAgain }
    isInRestQueue = false
    return waiting == .idle && http2?.rest() == true ? .rests : .leaves
  }

  func deadlinePassed() {
    let limits = server.configuration
    let interval = Double(limits.rateInterval.nanoseconds) / 1e9
    switch waiting {
    case .nothing: break
    case .handshake: end(.handshakeTimeout)
    case .head: refuseSlowHead()
    case .idle: end(.idle)
    case .linger: end(closing ?? .finished)
    case .body:
      if let http2, http2.awaitsEnds {
        http2.endAnswered()
        loop.flushLater(self)
      }
      guard http1 != nil || bodyBytes > 0 || pending.values.contains(where: \.isCollecting) else {
        waiting = .nothing
        return rearm()
      }
      let isSlow = Double(received - receivedMark) < Double(limits.minimumBodyRate) * interval
      let isLate = pending.values.contains {
        $0.isCollecting && loop.now - $0.startedAt > limits.bodyTimeout
      }
      if isSlow || isLate { return end(.slowBody) }
      waiting = .nothing
      rearm()
    case .reader:
      if Double(sent - sentMark) < Double(limits.minimumReadRate) * interval {
        return end(.slowReader)
      }
      waiting = .nothing
      rearm()
    }
  }

  private func refuseSlowHead() {
    guard http1 != nil else { return end(.headerTimeout) }
    closing = .headerTimeout
    leavesInput = true
    answerError(408)
    loop.flushLater(self)
  }
}
