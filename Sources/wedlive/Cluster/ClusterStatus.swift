import Cluster
import EventLoop
import Foundation

/// The nodes of a cluster as one of them sees them: what `GET /api/nodes` on its admin port says.
struct ClusterStatus: Codable, Equatable, Sendable {
  /// Who sees them so.
  var node: String
  /// Whether Redis says so, or it is what was known last.
  var isCoordinated: Bool
  var nodes: [Node]

  /// Makes the status of what a node sees.
  ///
  /// - Parameters:
  ///   - view: what it sees.
  ///   - now: when.
  init(_ view: ClusterView, now: MonotonicTime = .now) {
    node = view.own.text
    isCoordinated = view.isCoordinated
    nodes = view.nodes.merging(view.lost) { known, _ in known }.values
      .sorted { $0.id < $1.id }.map {
        Node($0, now: now, hasOtherSecret: view.hasOtherSecret($0))
      }
  }

  /// Reads one; nil where it is none.
  init?(json bytes: [UInt8]) {
    guard let status = try? JSONDecoder().decode(ClusterStatus.self, from: Data(bytes)) else {
      return nil
    }
    self = status
  }

  var json: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return (try? encoder.encode(self)).map { Array($0) } ?? []
  }

  /// A table for people, a line for each node.
  var table: String {
    let someAreMissing = nodes.contains(where: \.isMissing)
    var table = TextTable(
      head: [
        "node", "role", "region", "status", "publishers", "viewers", "in", "out", "memory", "up",
      ] + (someAreMissing ? ["last seen"] : []))
    for node in nodes { table.add(node.row(withLastSeen: someAreMissing)) }
    var note = isCoordinated ? "" : "\nRedis is away: this is what \(node) knew last.\n"
    for node in nodes {
      if let fault = node.fault {
        let isEdge = node.role == NodeRole.edge.rawValue
        let means = isEdge ? "" : " New streams go there only where no other origin is left."
        note += "\n\(node.id): \(fault).\(means)\n"
      }
      if let remark = node.remark { note += "\n\(node.id): \(remark).\n" }
    }
    let others = nodes.filter { $0.hasOtherSecret == true }.map(\.id)
    if !others.isEmpty {
      note +=
        "\nAnother auth.secret than that of \(node): at \(others.joined(separator: ", ")). Tokens"
        + " of the one are refused by the other.\n"
    }
    if !nodes.contains(where: \.takesStreams) {
      note += "\nNo origin can be used: publishers have to wait, and viewers get what edges have.\n"
    }
    return table.text + note
  }
}

extension NodeCluster {
  /// All nodes as this one sees them now.
  var status: ClusterStatus { ClusterStatus(node.membership.view) }

  /// The same for the admin port.
  var nodes: @Sendable () -> [UInt8] {
    let cluster = self
    return { cluster.status.json }
  }
}
