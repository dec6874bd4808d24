import Cluster
import ControlAPI
import HTTPTypes
import Viewers

extension NodeCluster {
  /// Asks another node about recordings that it keeps.
  ///
  /// - Parameters:
  ///   - question: what.
  ///   - node: whom.
  ///   - deadline: for the answer.
  /// - Returns: the status and the body of its answer.
  /// - Throws: `.unreached` where it gave none.
  func ask(
    _ question: PeerRecordings.Question, of node: KnownNode, deadline: Duration
  ) async throws(Unreached) -> (status: Int, body: [UInt8]) {
    let (method, path) = PeerRecordings.request(question)
    let (response, body) = try await call(method, path, of: node, deadline: deadline)
    return (response.status.code, body)
  }
}
