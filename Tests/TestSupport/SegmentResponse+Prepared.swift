package import HTTPServer
package import Viewers

extension SegmentResponse.Source {
  /// The answer, where it is in memory.
  package var prepared: PreparedResponse? {
    guard case .memory(let response) = self else { return nil }
    return response
  }
}
