import Cluster
import EventLoop
import Media
import Origin
import ServiceLifecycle

/// Tells the ends of streams whose origin is gone.
struct EndService: Service {
  let node: ClusterNode
  let origin: OriginNode

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await node.tellEnds { stream, isLeft in
        guard let key = StreamKey(wedding: stream.wedding, camera: stream.camera) else { return }
        await origin.ended(key, isLeft: isLeft)
      }
    }
  }
}
