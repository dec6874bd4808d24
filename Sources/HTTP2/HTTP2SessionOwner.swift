package import HTTPSemantics

/// What a body that is sent piece by piece has when it is asked.
package enum HTTP2Piece {
  case bytes([UInt8], Range<Int>)
  /// Nothing yet; `HTTP2Session.resume(_:)` is called when there is.
  case pending
  case end
  /// The stream is reset.
  case failed
}

/// The connection a session belongs to: called from inside `HTTP2Session.receive` and `produce`.
///
/// It may call `respond`, `reset` and `resume` from there, and must not end the session.
package protocol HTTP2SessionOwner: AnyObject {
  /// A request head is complete. `error` says what is wrong with it.
  func received(
    _ request: borrowing Request, error: RequestError?, on stream: Int32, hasBody: Bool)
  /// A part of a request's body has come.
  func receivedBody(_ bytes: borrowing Span<UInt8>, on stream: Int32)
  /// A request's body is complete.
  func endedBody(on stream: Int32)
  /// The next piece of the body of a response that was given as streamed.
  func nextPiece(of stream: Int32) -> HTTP2Piece
  /// How many bytes a paced response may send now; `HTTP2Session.resume(_:)` is called after a 0.
  func allowance(of stream: Int32) -> Int
  /// A stream has ended that was not answered yet, or whose answer was streamed.
  func closed(_ stream: Int32, complete: Bool)
}

extension HTTP2SessionOwner {
  package func allowance(of stream: Int32) -> Int { .max }
}
