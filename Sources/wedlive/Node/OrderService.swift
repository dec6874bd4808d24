import Events
import Media
import Origin
import ServiceLifecycle

/// Ends what was ordered of streams with their ends.
struct OrderService: Service {
  let orders: RecordingOrders
  let events: EventBus

  func run() async throws {
    await cancelWhenGracefulShutdown { await orders.follow(events) }
  }
}

/// What a node does about recordings that were ordered at others.
struct OrderFollowing: Sendable {
  let orders: RecordingOrders
  let recordings: OriginRecordings
  let board: StreamBoard

  /// Tells Redis what it could not be told before.
  func tell() async { await orders.tellAgain() }

  /// Begins and ends recordings as was ordered elsewhere.
  ///
  /// - Parameter wedding: whose; nil for all.
  func refresh(_ wedding: String?) async {
    let live = board.all.filter { $0.state == .live }.compactMap {
      StreamKey(wedding: $0.wedding, camera: $0.camera)
    }
    await recordings.refresh(wedding, live: live)
  }
}
