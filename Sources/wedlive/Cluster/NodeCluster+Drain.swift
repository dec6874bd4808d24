import Cluster
import HTTPServer
import HTTPTypes
import Redis
import Viewers

extension NodeCluster {
  /// Says that this node takes nothing new and will be gone; where Redis is away to each of the
  /// others, which would take it for one that has died.
  func sayLeaving() async {
    set(.draining)
    if redis.state.isConnected { return }
    let view = node.membership.view
    await withDiscardingTaskGroup { group in
      for known in view.nodes.values where known.id != view.own && known.isReachable {
        group.addTask {
          let path = "\(PeerDrain.leavingPath)?node=\(view.own)"
          _ = try? await call(.post, path, of: known, deadline: .seconds(1))
        }
      }
    }
  }

  /// Hears that another node says so.
  var heardLeaving: @Sendable (_ node: String) -> Void {
    let membership = node.membership
    return { name in NodeID(name).map { membership.heard(leaving: $0) } }
  }

  /// Has another node of the cluster drain.
  var drainOther: @Sendable (_ node: String) async -> APIResponse? {
    { name in await drain(name) }
  }

  /// Passes on to a node that it is to drain.
  ///
  /// - Parameter name: of the node.
  /// - Returns: what came of it; nil where it is this node's own name.
  private func drain(_ name: String) async -> APIResponse? {
    let view = node.membership.view
    guard let id = NodeID(name), let known = view[id] else {
      let names = view.nodes.keys.map(\.text).sorted().joined(separator: ", ")
      return .error(
        .notFound, code: "no_node",
        message: "No node of this cluster is called \(name); there are \(names).")
    }
    if id == view.own { return nil }
    do throws(Unreached) {
      let (response, _) = try await call(
        .post, "\(PeerDrain.path)", of: known, deadline: .seconds(5))
      guard response.status == .accepted else {
        return .error(
          .badGateway, code: "not_drained",
          message: "Node \(name) answers \(response.status.code): is it of this version?")
      }
      return APIResponse(response)
    } catch {
      return .error(
        .badGateway, code: "not_reached",
        message: "Node \(name) gave no answer at \(known.record.addresses.http): \(error.words).")
    }
  }
}
