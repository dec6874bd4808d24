import Cluster
import Foundation

/// The nodes of a cluster as one of them sees them: what `GET /api/nodes` on its admin port says.
struct ClusterStatus: Codable, Equatable, Sendable {
  /// One node.
  struct Node: Codable, Equatable, Sendable {
    var id: String
    var role: String
    var region: String
    /// `usable`, `starting`, `draining`, `suspect` or `down`.
    var status: String
    var version: String
    /// Where other nodes reach it.
    var address: String
    var uptimeSeconds: Int64
    /// Who publishes at it; where it only hands connections on (`rtmp.proxy: tcp`), all of those.
    var publishers: Int
    /// Who has asked for something of a stream within the last 15 seconds, at this node.
    var viewers: Int
    var memoryBytes: Int64
    /// What it receives from all who connect to it, and sends to them, in bits a second; nil where the node asked is of an older version.
    var bitsInPerSecond: Int64?
    var bitsOutPerSecond: Int64?
  }

  /// Who sees them so.
  var node: String
  /// Whether Redis says so, or it is what was known last.
  var isCoordinated: Bool
  var nodes: [Node]

  init(_ view: ClusterView) {
    node = view.own.text
    isCoordinated = view.isCoordinated
    nodes = view.nodes.values.sorted { $0.id < $1.id }.map { node in
      Node(
        id: node.id.text, role: node.record.role.rawValue, region: node.record.region,
        status: node.status, version: node.record.version, address: node.record.addresses.http,
        uptimeSeconds: node.record.uptime.components.seconds,
        publishers: node.record.load.publishers, viewers: node.record.load.viewers,
        memoryBytes: node.record.load.memory, bitsInPerSecond: node.record.load.bitrateIn,
        bitsOutPerSecond: node.record.load.bitrateOut)
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
    var table = TextTable(
      head: [
        "node", "role", "region", "status", "publishers", "viewers", "in", "out", "memory", "up",
      ])
    for node in nodes {
      table.add([
        node.id, node.role, node.region, node.status, "\(node.publishers)", "\(node.viewers)",
        node.bitsInPerSecond.map { BitrateText.rounded(UInt64(clamping: $0)) } ?? "",
        node.bitsOutPerSecond.map { BitrateText.rounded(UInt64(clamping: $0)) } ?? "",
        SizeText.rounded(Int(clamping: node.memoryBytes)),
        DurationText.format(.seconds(node.uptimeSeconds)),
      ])
    }
    var note = isCoordinated ? "" : "\nRedis is away: this is what \(node) knew last.\n"
    if !nodes.contains(where: { $0.role != NodeRole.edge.rawValue && $0.status == "usable" }) {
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
