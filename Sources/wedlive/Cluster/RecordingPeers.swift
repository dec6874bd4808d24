import Cluster
import ControlAPI

/// The nodes of a cluster, as those see them who look for recordings.
struct RecordingPeers: Sendable {
  /// All of them, as they are seen now.
  let view: @Sendable () -> ClusterView
  /// Who has a stream now; nil where nobody does, or that can't be asked.
  let owner: @Sendable (StreamID) async -> StreamOwner?
  /// Asks one about recordings that it keeps.
  let ask:
    @Sendable (PeerRecordings.Question, KnownNode, Duration) async throws(NodeCluster.Unreached)
      -> (status: Int, body: [UInt8])
  /// How their files are asked for: `https` or `http`.
  let scheme: String

  /// This node's name.
  var own: String { view().own.text }
}

extension NodeCluster {
  /// Its nodes, for those who look for recordings.
  var recordingPeers: RecordingPeers {
    let cluster = self
    return RecordingPeers(
      view: { cluster.node.membership.view },
      owner: { try? await cluster.node.directory.owner(of: $0) },
      ask: { question, node, deadline async throws(Unreached) in
        try await cluster.ask(question, of: node, deadline: deadline)
      }, scheme: scheme)
  }
}
