import EventLoop
import HTTPSemantics

/// What a body source has at the moment it is asked.
public enum BodyPiece: Sendable {
  /// Bytes `range` of a shared array; not empty.
  case bytes([UInt8], Range<Int>)
  /// Nothing yet: the source calls its waker when there is.
  case pending
  /// The body is complete.
  case end
  /// It can't be completed: the client sees a reset stream or a closed connection, never an end.
  case failed
}

/// The body of a streamed response, asked for the next piece only when the client can take it.
///
/// Confined to the loop. Subclassed for a disk file, a cache fill in progress, a generated export.
open class BodySource {
  public init() {}

  /// Wakes the connection after `.pending`; set before the first `next()`.
  package internal(set) final var waker: BodyWaker?

  /// The next piece; called again only after all of it has been taken.
  open func next() -> BodyPiece { .end }

  /// The response is over: sent, or given up.
  open func finished() {}
}

/// Says that a body source which was pending has something; may be used from any thread.
package struct BodyWaker: Sendable {
  let mailbox: LoopMailbox
  let request: RequestKey

  /// Asks the source again, soon, on its loop.
  package func wake() {
    let request = request
    mailbox.submit { loop in
      (loop.channel(request.connection) as? Connection)?.bodyReady(stream: request.stream)
    }
  }
}

/// A response whose body comes piece by piece.
public final class StreamedResponse {
  let head: HeaderBlock
  let contentLength: Int?
  let source: BodySource

  /// Makes one.
  ///
  /// - Parameters:
  ///   - status: of the response.
  ///   - fields: all but Content-Length and those added at sending (Date, Server, HSTS).
  ///   - contentLength: the body's length where it is known; a source that ends elsewhere is a
  ///     failure.
  ///   - source: of the body.
  package init(
    status: Int, fields: [(name: String, value: String)], contentLength: Int?, source: BodySource
  ) {
    var fields = fields
    if let contentLength { fields.append(("content-length", "\(contentLength)")) }
    head = HeaderBlock(status: status, fields: fields)
    self.contentLength = contentLength
    self.source = source
  }
}
