package import EventLoop
package import RTMP

/// How an RTMP client's connection came to its end.
package enum ClientEnd: Error, Equatable, Sendable {
  /// No address of the host could be connected to.
  case unreachable(SystemError)
  case unknownHost(String)
  /// TLS failed; the words are OpenSSL's.
  case insecure(String)
  /// The server said no.
  case refused(Status)
  /// The server said that the stream is over.
  case ended(Status)
  /// The server sent what isn't RTMP.
  case violated(ProtocolError)
  /// The server did not answer, or took nothing, for too long.
  case timedOut(Stage)
  /// The connection broke, or the server closed it.
  case lost(Stage)
  /// We ended it ourselves.
  case finished

  /// How far it had come.
  package enum Stage: String, Sendable {
    case connecting
    case securing
    case requesting
    case streaming
  }

  /// Whether trying again later may help.
  package var isRetryUseful: Bool {
    switch self {
    case .unreachable, .timedOut, .lost, .unknownHost, .ended: true
    case .violated(let error): error.isRetryUseful
    case .insecure, .refused, .finished: false
    }
  }
}

extension ClientEnd: CustomStringConvertible {
  /// A sentence for a person; no stream key is in it.
  package var description: String {
    switch self {
    case .unreachable(let error): "can't be reached: \(error)"
    case .unknownHost(let host): "\(host): there is no such host"
    case .insecure(let words): "no secure connection: \(words)"
    case .refused(let status): "the server refused: \(Self.words(status))"
    case .ended(let status): "the server ended the stream: \(Self.words(status))"
    case .violated(let error): "the server doesn't speak RTMP as it should: \(error)"
    case .timedOut(.streaming): "the server takes no more data"
    case .timedOut(let stage): "the server doesn't answer (\(stage.rawValue))"
    case .lost(.streaming): "the connection was lost"
    case .lost(let stage): "the server closed the connection (\(stage.rawValue))"
    case .finished: "finished"
    }
  }

  private static func words(_ status: Status) -> String {
    status.text.isEmpty ? status.code : "\(status.text) (\(status.code))"
  }
}
