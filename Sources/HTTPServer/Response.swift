import HTTPSemantics

/// How a request is answered.
public enum Response {
  /// From memory. Preconditions, ranges, HEAD and gzip are seen to.
  case prepared(PreparedResponse)
  /// By asynchronous code on the concurrency pool, once the body has come.
  case deferred(APICall)
  /// Later, by `LoopServer.release(_:with:)`.
  case held(HeldRequest)
  /// Piece by piece, as fast as the client reads.
  case streamed(StreamedResponse)

  /// A JSON error, `{"error":{"code":…,"message":…}}`.
  ///
  /// Made anew each time; whoever answers it often keeps a `PreparedResponse.error`.
  package static func error(_ status: Int, code: String, message: String) -> Response {
    .prepared(.error(status, code: code, message: message))
  }
}
