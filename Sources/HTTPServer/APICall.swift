package import EventLoop
package import HTTPTypes

/// What an asynchronous handler is given: a copy, so it may go anywhere.
package struct APIRequest: Sendable {
  package var request: HTTPRequest
  package var body: [UInt8]
  package var client: SocketAddress
  package var isSecure: Bool
  /// Whether it came where only nodes of the cluster are let in.
  package var isFromPeer: Bool

  package init(
    request: HTTPRequest, body: [UInt8] = [], client: SocketAddress = SocketAddress(),
    isSecure: Bool = true, isFromPeer: Bool = false
  ) {
    self.isFromPeer = isFromPeer
    self.request = request
    self.body = body
    self.client = client
    self.isSecure = isSecure
  }
}

/// What an asynchronous handler answers with.
package struct APIResponse: Sendable {
  package var response: HTTPResponse
  package var body: [UInt8]

  package init(_ response: HTTPResponse, body: [UInt8] = []) {
    self.response = response
    self.body = body
  }

  /// A JSON error, `{"error":{"code":…,"message":…}}`, never cached.
  package static func error(
    _ status: HTTPResponse.Status, code: String, message: String
  ) -> APIResponse {
    json(status, PreparedResponse.errorBody(code: code, message: message))
  }

  /// A JSON answer, never cached.
  package static func json(_ status: HTTPResponse.Status, _ body: [UInt8]) -> APIResponse {
    var response = HTTPResponse(status: status)
    response.headerFields[.contentType] = "application/json"
    response.headerFields[.cacheControl] = "no-store"
    return APIResponse(response, body: body)
  }
}

/// A request on its way to asynchronous code.
public final class APICall: Sendable {
  package typealias Handler = @Sendable (APIRequest) async -> APIResponse

  package let bodyLimit: Int
  package let handler: Handler

  /// Names the code to run.
  ///
  /// - Parameters:
  ///   - bodyLimit: the largest body in bytes; a larger one gets a 413 and `handler` is not called.
  ///   - handler: run on the concurrency pool; cancelled when the client goes away.
  package init(bodyLimit: Int = 64 << 10, _ handler: @escaping Handler) {
    self.bodyLimit = bodyLimit
    self.handler = handler
  }
}
