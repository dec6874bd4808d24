import HTTPTypes
import HTTPServer
import Origin

/// The REST API of a node, as one asynchronous call.
struct NodeAPI: Sendable {
  let origin: OriginNode

  var call: APICall {
    APICall { _ in
      .json(.notFound, Array(#"{"error":{"code":"not_found","message":"no such route"}}"#.utf8))
    }
  }
}
