package import Telemetry
import Synchronization

/// What the processes before this one have said of themselves last, for this one's status and
/// metrics.
///
/// What one has sent and received counts on when it has ended, so that no sum goes back; all else
/// is gone with it.
package final class ElderTally: Sendable {
  /// Of all of them.
  package struct Sum: Equatable, Sendable {
    /// Those that are there.
    var processes = 0
    /// That have their publisher there.
    var streams = 0
    package fileprivate(set) var rtmpConnections = 0
    var httpConnections = 0
    package fileprivate(set) var traffic = TrafficStatus()
  }

  private struct State {
    /// By process.
    var present: [Int32: Sum] = [:]
    /// Of all that were ever heard.
    var traffic: [Int32: TrafficStatus] = [:]
  }

  private let state = Mutex(State())

  /// - Parameter registry: where the sums are read as `wedlive_elder_…`.
  package init(_ registry: MetricRegistry) {
    func gauge(_ name: String, _ help: String, _ value: @escaping @Sendable (Sum) -> Int) {
      registry.gauge(name, help: help) { [weak self] in Double(self.map { value($0.sum) } ?? 0) }
    }
    gauge(
      "wedlive_elder_processes", "Processes of this node that were replaced and have not ended."
    ) { $0.processes }
    gauge("wedlive_elder_streams", "Streams that have a publisher there.") { $0.streams }
    gauge("wedlive_elder_rtmp_connections", "Open RTMP connections there.") { $0.rtmpConnections }
    gauge("wedlive_elder_http_connections", "Open HTTP connections there.") { $0.httpConnections }
    func counter(
      _ name: String, _ help: String, _ value: @escaping @Sendable (TrafficStatus) -> UInt64
    ) {
      registry.counter(name, help: help) { [weak self] in
        Double(self.map { value($0.sum.traffic) } ?? 0)
      }
    }
    counter("wedlive_elder_received_bytes_total", "Bytes that they have received.") { $0.bytesIn }
    counter("wedlive_elder_sent_bytes_total", "Bytes that they have sent.") { $0.bytesOut }
  }

  /// Notes what all of them say that are there.
  package func note(_ statuses: [NodeStatus]) {
    state.withLock { state in
      state.present = [:]
      for status in statuses {
        let traffic = status.traffic.bounded
        state.present[status.pid] = Sum(
          processes: 1, streams: status.streams.count { $0.state == .live },
          rtmpConnections: Int(Int32(clamping: max(0, status.rtmpConnections))),
          httpConnections: Int(Int32(clamping: max(0, status.httpConnections))),
          traffic: traffic)
        state.traffic[status.pid] = traffic
      }
    }
  }

  /// Adds what they have of connections and traffic to this process's own status.
  package func add(to status: inout NodeStatus) {
    let sum = sum
    status.rtmpConnections += sum.rtmpConnections
    status.httpConnections += sum.httpConnections
    status.traffic.bytesIn += sum.traffic.bytesIn
    status.traffic.bytesOut += sum.traffic.bytesOut
    status.traffic.bitsInPerSecond += sum.traffic.bitsInPerSecond
    status.traffic.bitsOutPerSecond += sum.traffic.bitsOutPerSecond
  }

  package var sum: Sum {
    state.withLock { state in
      var sum = Sum()
      for each in state.present.values {
        sum.processes += each.processes
        sum.streams += each.streams
        sum.rtmpConnections += each.rtmpConnections
        sum.httpConnections += each.httpConnections
        sum.traffic.bitsInPerSecond += each.traffic.bitsInPerSecond
        sum.traffic.bitsOutPerSecond += each.traffic.bitsOutPerSecond
      }
      for each in state.traffic.values {
        sum.traffic.bytesIn += each.bytesIn
        sum.traffic.bytesOut += each.bytesOut
      }
      return sum
    }
  }
}

extension TrafficStatus {
  /// The same with no number that sums could overflow with: another process has said them.
  fileprivate var bounded: TrafficStatus {
    let most: UInt64 = 1 << 53
    return TrafficStatus(
      bytesIn: min(bytesIn, most), bytesOut: min(bytesOut, most),
      bitsInPerSecond: min(bitsInPerSecond, most), bitsOutPerSecond: min(bitsOutPerSecond, most))
  }
}
