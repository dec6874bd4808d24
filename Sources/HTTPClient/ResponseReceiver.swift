package import HTTPTypes

/// Takes a response as it comes.
///
/// Called on the client's thread, one call at a time, in the order `head`, `body` …, `ended`; it
/// must not wait for anything. After `ended` nothing is called any more.
package protocol ResponseReceiver: Sendable {
  /// The final head has come.
  func received(head: HTTPResponse)

  /// More of the body has come.
  ///
  /// - Parameter body: not empty; there for the length of the call.
  /// - Returns: false to be given no more until `ResponseStream.resume()`; some may still come.
  func received(body: borrowing Span<UInt8>) -> Bool

  /// All that is there has been handed over: what is done once for many pieces is done now.
  ///
  /// Comes after one piece of the body or several, and not before `ended`.
  func caughtUp()

  /// It is over.
  ///
  /// - Parameter problem: nil where the response is whole; else it broke off, or nothing came.
  func ended(_ problem: HTTPClientError?)
}

/// An exchange whose response is taken as it comes.
package struct ResponseStream: Sendable {
  let id: UInt64
  let engine: TransferEngine

  /// Ends it, with `.cancelled`; nothing happens where it has ended.
  package func cancel() { engine.cancel(id) }

  /// Goes on after the receiver has asked to be given no more.
  package func resume() { engine.resume(id) }
}
