import Cluster
import Edge
import EventLoop
import Media
import Relay
import ServiceLifecycle

/// Tells the edge's relays and followers what becomes of streams and origins.
struct RelayService: Service {
  let cluster: NodeCluster
  let loops: LoopGroup
  /// Those who follow streams for viewers; nil where nobody watches at this edge.
  let live: EdgeLive?

  /// Has followers hear of the cluster's events.
  static func observe(_ cluster: NodeCluster, _ live: EdgeLive) {
    cluster.node.events.observe { delivery in
      guard case .event(let event) = delivery else { return }
      switch event {
      case .stream(let stream, _, _):
        if let key = stream.key { live.moved(key) }
      case .head, .node, .left, .lock, .cameras, .recording: break
      }
    }
  }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      var left: Set<String> = []
      for await view in cluster.node.membership.changes {
        // A record that has expired is no reason to leave an origin that takes its streams.
        let down = view.origins.filter(\.isDown)
        let gone = down.map(\.id.text)
        let silent = Set(down.map(\.record.addresses.http))
        live?.lost(silent.subtracting(left))
        left = silent
        let draining = view.origins.filter { $0.isReachable && $0.record.state == .draining }
          .map(\.id.text)
        guard !gone.isEmpty || !draining.isEmpty else { continue }
        loops.submitToAll { loop in
          for name in gone { EdgePublishers.originLost(name, on: loop) }
          guard let relay = loop.local(PublishRelay.self) else { return }
          for name in draining { relay.handOver(from: name) }
        }
      }
    }
  }
}

extension StreamID {
  /// The stream as media has it.
  var key: StreamKey? { StreamKey(wedding: wedding, camera: camera) }
}
