package import HTTPServer
import HTTPTypes

extension NodeStatus {
  /// Answers with a status as JSON.
  ///
  /// - Parameter status: makes it.
  /// - Returns: a call that takes no body.
  package static func call(_ status: @escaping @Sendable () async -> NodeStatus) -> APICall {
    APICall(bodyLimit: 0) { _ in
      guard let json = try? await status().json() else { return .json(.internalServerError, []) }
      return .json(.ok, json)
    }
  }
}
