import Cluster
import HTTPServer
import HTTPTypes
import Viewers

extension NodeCluster {
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
