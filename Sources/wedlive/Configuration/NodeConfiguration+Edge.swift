import Cache
import Edge
import HTTPClient
import Telemetry

// What the edge's rooms are told.
extension NodeConfiguration {
  /// Without the port for streams of edges: whoever gives all nodes the same settings means
  /// origins.
  var forEdge: NodeConfiguration {
    var edge = self
    edge.listen.peersRTMPS = .off
    return edge
  }

  /// For `Edge`.
  var edgeProxy: EdgeConfiguration {
    var proxy = EdgeConfiguration()
    proxy.upstreams = edge.upstreams.compactMap { Upstream($0) }
    proxy.upstreamRules.maxFails = edge.maxFails
    proxy.upstreamRules.failTimeout = edge.failTimeout
    proxy.memoryBytes = edge.memory > 0 ? edge.memory : MachineMemory.bytes() / 4
    proxy.fillBytes =
      edge.fillMemory > 0 ? edge.fillMemory : max(proxy.memoryBytes / 2, edge.maxObject)
    proxy.memoryCount = edge.memoryObjects
    proxy.objectBytes = edge.maxObject
    proxy.sliceBytes = edge.slice == 0 ? 0 : max(64 << 10, edge.slice)
    proxy.unreadBytes = edge.maxUnread
    proxy.purgeGrace = edge.purgeGrace.components.seconds
    proxy.purgeWait = edge.purgeWait
    proxy.unreadPace = UnreadPace.Rule(rate: edge.unreadRate, over: edge.unreadTime)
    proxy.answerBytes = edge.maxAnswer
    proxy.requestBytes = http.maxBody
    proxy.headTimeout = edge.headTimeout
    proxy.stallTimeout = edge.stallTimeout
    guard edge.disk > 0 else { return proxy }
    proxy.diskFolder = edge.diskPath.isEmpty ? data.path + "/cache" : edge.diskPath
    proxy.disk.bytes = edge.disk
    proxy.disk.count = edge.diskObjects
    proxy.disk.waitingBytes = edge.diskWaiting
    proxy.disk.objectBytes = max(edge.maxObject, proxy.sliceBytes)
    return proxy
  }

  /// For what follows live streams.
  var edgeLive: LiveConfiguration {
    var live = LiveConfiguration()
    live.streams = edge.liveStreams
    live.unanswered = edge.liveUnanswered
    live.firstDeadline = edge.liveAnswer
    live.idle = edge.liveIdle
    live.grace = edge.liveGrace
    live.segmentStall = edge.segmentStall
    live.feedBytes = edge.maxFeed
    return live
  }

  /// For the client that asks upstreams.
  var edgeClient: HTTPClientConfiguration {
    var client = HTTPClientConfiguration()
    client.maxConcurrent = edge.maxRequests
    client.maxPerHost = edge.maxPerUpstream
    client.maxWaiting = edge.maxWaiting
    client.connectTimeout = edge.connectTimeout
    client.certificateAuthorities =
      edge.certificateAuthorities ?? cluster.certificateAuthorities
    client.certificate = cluster.certificate
    client.key = cluster.key
    return client
  }

  /// For the client that asks other nodes for news, and whether they live.
  var peerClient: HTTPClientConfiguration {
    var client = HTTPClientConfiguration()
    // Each followed stream has a question open, over a connection of its own where the other node
    // speaks HTTP/1.1.
    client.maxConcurrent = 10_000
    client.maxPerHost = 1_000
    client.maxWaiting = edge.maxWaiting
    client.connectTimeout = edge.connectTimeout
    client.certificateAuthorities =
      cluster.certificateAuthorities ?? edge.certificateAuthorities
    client.certificate = cluster.certificate
    client.key = cluster.key
    return client
  }
}
