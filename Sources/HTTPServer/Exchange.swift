package import EventLoop
package import HTTPSemantics
package import Telemetry

/// One request's circumstances, lent to the handler with it.
public struct Exchange: ~Copyable {
  let connection: Connection
  let stream: Int32

  /// The client, as PROXY protocol told where it is on, or the socket's peer.
  package var client: SocketAddress { connection.client }
  /// Whether the request came over TLS.
  package var isSecure: Bool { connection.isSecure }
  /// The server of this loop.
  package var server: LoopServer { connection.server }

  /// Bounds how fast the answer to this request is sent; called before it is given.
  package func pace(_ pace: Pace) { connection.begin(pace, on: stream) }

  /// Counts the bytes of the body that answers this request, as they are sent; called before the
  /// answer is given, or the request is held.
  ///
  /// - Parameter tally: of this loop.
  package func count(into tally: Tally) { connection.nextTally = tally }

  /// Has the next request come over another connection, which another process of the node accepts;
  /// called before the answer is given.
  package func leave() { connection.leave() }

  /// Keeps the request open until `LoopServer.release(_:with:)`, or for `timeout`.
  ///
  /// The handler keeps the token, and returns `.held(token)`.
  /// - Parameters:
  ///   - request: the one that is being answered.
  ///   - timeout: how long the client waits at most.
  ///   - otherwise: what it gets then.
  /// - Returns: `nil` where the loop holds as many requests as it may; answer with a 503 then.
  package func hold(
    _ request: borrowing Request, for timeout: Duration, otherwise: ReadyResponse
  ) -> HeldRequest? {
    connection.hold(
      stream, isHead: request.method == .head, acceptsGzip: request.acceptsGzip,
      for: timeout, otherwise: otherwise)
  }

  /// The same, with an answer from memory.
  package func hold(
    _ request: borrowing Request, for timeout: Duration, otherwise: PreparedResponse
  ) -> HeldRequest? {
    hold(request, for: timeout, otherwise: .prepared(otherwise))
  }
}

/// Names a request on its connection: the HTTP/2 stream, or the ordinal of an HTTP/1.1 request.
struct RequestKey: Hashable, Sendable {
  var connection: ChannelID
  var stream: Int32
}

/// Names a request that waits for its answer; used up by its release, its timeout or its end.
public struct HeldRequest: Hashable, Sendable {
  let slot: UInt32
  let generation: UInt32
}
