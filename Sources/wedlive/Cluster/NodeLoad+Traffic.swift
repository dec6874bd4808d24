import Cluster
import Origin

extension NodeLoad {
  /// Takes the rates of a node's traffic.
  mutating func take(_ traffic: TrafficStatus) {
    bitrateIn = Int64(clamping: traffic.bitsInPerSecond)
    bitrateOut = Int64(clamping: traffic.bitsOutPerSecond)
  }
}
