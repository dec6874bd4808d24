import EventLoop
package import HTTPSemantics

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
    head = Self.head(status: status, fields: fields, contentLength: contentLength)
    self.contentLength = contentLength
    self.source = source
  }

  /// Makes one of a head that others have, too.
  ///
  /// - Parameters:
  ///   - head: made by `head(status:fields:contentLength:)`, of the same length.
  ///   - contentLength: the body's length where it is known.
  ///   - source: of the body.
  package init(head: HeaderBlock, contentLength: Int?, source: BodySource) {
    self.head = head
    self.contentLength = contentLength
    self.source = source
  }

  /// Writes a head.
  ///
  /// - Parameters:
  ///   - status: of the response.
  ///   - fields: all but Content-Length and those added at sending (Date, Server, HSTS).
  ///   - contentLength: the body's length where it is known.
  /// - Returns: the head, for any number of responses.
  package static func head(
    status: Int, fields: [(name: String, value: String)], contentLength: Int?
  ) -> HeaderBlock {
    guard let contentLength else { return HeaderBlock(status: status, fields: fields) }
    return HeaderBlock(
      status: status, fields: fields + [("content-length", "\(contentLength)")])
  }
}
