import Cluster
import ControlAPI
import HTTPClient
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
    var request = HTTPRequest(
      method: method, scheme: scheme, authority: node.record.addresses.http, path: path)
    request.headerFields[.authorization] = "Bearer \(pass.token)"
    do throws(HTTPClientError) {
      let (response, body) = try await client.send(request, deadline: deadline)
      return (response.status.code, body)
    } catch {
      if error.fault != .ours { self.node.membership.report(failure: node.id) }
      throw Unreached(words: "\(error)")
    }
  }

  /// Why a node gave no answer.
  struct Unreached: Error {
    var words: String
  }
}
