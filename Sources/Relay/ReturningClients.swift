package import EventLoop
import Synchronization

/// Where clients were whose connections have ended, for those that come back.
///
/// An origin holds a stream for a while after its publisher has gone, and every other one refuses
/// it meanwhile. Each connection that ends is remembered once and forgotten with the next one from
/// the same host, so that many behind one address are spread as evenly as all others. Shared by all
/// loops.
package final class ReturningClients: Sendable {
  private struct Visit {
    let host: [UInt8]
    let origin: String
    let time: MonotonicTime
  }

  /// For how long.
  private let memory: Duration
  /// How many at most; the oldest is forgotten for one more.
  private let capacity: Int
  /// Oldest first.
  private let visits = Mutex<[Visit]>([])

  package init(memory: Duration, capacity: Int = 4_096) {
    self.memory = memory
    self.capacity = max(1, capacity)
  }

  /// A connection to an origin has ended, and its client may come back.
  package func left(_ client: SocketAddress, _ origin: String, at now: MonotonicTime = .now) {
    let visit = Visit(host: client.mappedBytes, origin: origin, time: now)
    visits.withLock { visits in
      visits.removeAll { now - $0.time > memory }
      if visits.count >= capacity { visits.removeFirst(visits.count - capacity + 1) }
      visits.append(visit)
    }
  }

  /// Where a client of this host was last; the next question is about the one before.
  package func origin(of client: SocketAddress, at now: MonotonicTime = .now) -> String? {
    let host = client.mappedBytes
    return visits.withLock { visits in
      guard
        let index = visits.lastIndex(where: { $0.host == host && now - $0.time <= memory })
      else { return nil }
      return visits.remove(at: index).origin
    }
  }
}
