import Cluster
import Origin

extension NodeLoad {
  /// Takes the rates of a node's traffic.
  mutating func take(_ traffic: TrafficStatus) {
    bitrateIn = Int64(clamping: traffic.bitsInPerSecond)
    bitrateOut = Int64(clamping: traffic.bitsOutPerSecond)
  }

  /// Adds what processes before this one receive and send.
  mutating func add(_ elders: ElderTally.Sum) {
    bitrateIn += Int64(clamping: elders.traffic.bitsInPerSecond)
    bitrateOut += Int64(clamping: elders.traffic.bitsOutPerSecond)
  }
}
