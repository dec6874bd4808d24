import EventLoop
import RTMP
import Telemetry

// How long a client may be silent, and what is counted of it each second.
extension RTMPConnection {
  func checkDeadlines() {
    let now = loop.now
    // Who isn't read can say nothing.
    if isHeldBack { return patience.isHeldBack(now) }
    let end = patience.end(
      of: doing, sent: bytesSent, queued: queuedBytes, now: now, server.configuration)
    if let end {
      // Who reads is told why.
      guard isPublishing, queuedBytes == 0 else { return self.end(.closedByUs(end)) }
      return stop(end)
    }
    var output: [UInt8] = []
    let isAlive = session.keepAlive(at: now.nanoseconds / 1_000_000, into: &output)
    if !output.isEmpty { send(output) }
    // A player has nothing to say: it is judged by what its socket takes.
    if !isAlive, player == nil { self.end(.closedByUs("answers no ping")) }
  }

  private var doing: ConnectionPatience.Doing {
    switch publication {
    case .live: .publishing
    case .requested: .waiting
    case .none: player != nil ? .playing : playRequest != nil ? .waiting : .nothing
    }
  }

  func count() {
    server.metrics.bytesReceived.add(bytesReceived - countedReceived)
    server.metrics.bytesSent.add(bytesSent - countedSent)
    countedReceived = bytesReceived
    countedSent = bytesSent
  }
}
