/// Why a command gave no reply.
package enum RedisError: Error, Equatable, Sendable {
  /// There is no connection, and the command was not sent; why not, where an attempt has failed.
  case notConnected(RedisLoss?)
  /// The deadline has passed.
  case timedOut(mayHaveRun: Bool)
  /// The connection was lost while the reply was awaited.
  case lost(RedisLoss, mayHaveRun: Bool)
  /// The server answered with an error.
  case refused(RedisServerError)
  /// Too many commands wait already; this one was not sent.
  case tooManyWaiting
  /// The command is larger than a command may be; it was not sent.
  case tooLarge(bytes: Int)
  /// The reply is of another kind than this command has; the words say what came.
  case unexpected(String)
  /// The task was cancelled.
  case cancelled(mayHaveRun: Bool)
  /// The client was closed.
  case closed
  /// The client can't be made like this; a sentence for a person.
  case misconfigured(String)

  /// Whether the server may have done what it was asked, although no reply says so.
  package var mayHaveRun: Bool {
    switch self {
    case .timedOut(let may), .lost(_, let may), .cancelled(let may): may
    case .unexpected: true
    case .notConnected, .refused, .tooManyWaiting, .tooLarge, .closed, .misconfigured: false
    }
  }

  /// Whether the same command may succeed later.
  ///
  /// Repeating it is safe where `mayHaveRun` is false, or where it does the same however often it
  /// is run.
  package var canRetry: Bool {
    switch self {
    case .notConnected, .timedOut, .lost, .tooManyWaiting: true
    case .refused(let error): error.canRetry
    case .tooLarge, .unexpected, .cancelled, .closed, .misconfigured: false
    }
  }

  /// One of a fixed few, for a metric's label.
  package var code: String {
    switch self {
    case .notConnected: "not_connected"
    case .timedOut: "timed_out"
    case .lost: "lost"
    case .refused: "refused"
    case .tooManyWaiting: "too_many_waiting"
    case .tooLarge: "too_large"
    case .unexpected: "unexpected"
    case .cancelled: "cancelled"
    case .closed: "closed"
    case .misconfigured: "misconfigured"
    }
  }
}

extension RedisError: CustomStringConvertible {
  /// A sentence for a person; no argument of the command and no password is in it.
  package var description: String {
    switch self {
    case .notConnected(let loss):
      "Redis: not connected" + (loss.map { ": \($0)" } ?? " yet")
    case .timedOut(let may): "Redis: no reply in time\(Self.words(may))"
    case .lost(let loss, let may): "Redis: \(loss)\(Self.words(may))"
    case .refused(let error): "Redis: \(error)"
    case .tooManyWaiting: "Redis: too many commands wait for the server"
    case .tooLarge(let bytes): "Redis: a command of \(bytes) bytes is too large"
    case .unexpected(let words): "Redis: an unexpected reply: \(words)"
    case .cancelled(let may): "Redis: cancelled\(Self.words(may))"
    case .closed: "Redis: the client is closed"
    case .misconfigured(let words): words
    }
  }

  private static func words(_ mayHaveRun: Bool) -> String {
    mayHaveRun ? " (the command may have been run)" : " (the command was not sent)"
  }
}
