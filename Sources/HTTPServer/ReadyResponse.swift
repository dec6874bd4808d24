/// A response that can be sent at once: what a request gets that was held.
public enum ReadyResponse {
  /// From memory.
  case prepared(PreparedResponse)
  /// Piece by piece, as fast as the client reads.
  case streamed(StreamedResponse)
}

extension Response {
  /// The same, as an answer to a request that was not held.
  package init(_ ready: ReadyResponse) {
    switch ready {
    case .prepared(let prepared): self = .prepared(prepared)
    case .streamed(let streamed): self = .streamed(streamed)
    }
  }
}
