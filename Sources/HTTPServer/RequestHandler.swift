public import HTTPSemantics

/// Answers the requests of one listener on one loop; subclassed by those who have something to say.
///
/// One instance serves every connection of its loop, so it may keep a table of its own without a
/// lock. It is `open` because Swift lets only such classes be subclassed in another target.
open class RequestHandler {
  public init() {}

  /// Answers one request, at once and from memory; what takes longer is `.deferred`, `.held` or
  /// `.streamed`.
  ///
  /// Called when the head has come; the body, if any, is read for `.deferred` only.
  /// - Parameters:
  ///   - request: lent for the length of the call.
  ///   - exchange: who asks, and the server to hold the request with.
  /// - Returns: the answer, or how it will come.
  open func handle(_ request: borrowing Request, _ exchange: borrowing Exchange) -> Response {
    .error(404, code: "not_found", message: "There is nothing at this address.")
  }
}
