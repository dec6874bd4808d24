import Cluster
import HTTPClient
import HTTPTypes
import Viewers

extension NodeCluster {
  /// Why a node gave no answer.
  struct Unreached: Error {
    var words: String
  }

  /// Calls another node, and shows it the cluster's pass.
  ///
  /// - Parameters:
  ///   - method: of the request.
  ///   - path: of the request, below `/cluster/`.
  ///   - node: whom.
  ///   - deadline: for the answer.
  /// - Returns: whatever it answers.
  /// - Throws: `Unreached` where it gave no answer, which counts as a failure of its.
  func call(
    _ method: HTTPRequest.Method, _ path: String, of node: KnownNode, deadline: Duration
  ) async throws(Unreached) -> (response: HTTPResponse, body: [UInt8]) {
    var request = HTTPRequest(
      method: method, scheme: scheme, authority: node.record.addresses.http, path: path)
    request.headerFields[.authorization] = "Bearer \(pass.token)"
    do throws(HTTPClientError) {
      return try await client.send(request, deadline: deadline)
    } catch {
      if error.fault != .ours { self.node.membership.report(failure: node.id) }
      throw Unreached(words: "\(error)")
    }
  }
}
