package import Redis

/// Why something about the cluster could not be done.
package enum ClusterError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Redis gave no answer; what was asked may have been done or not, as its error says.
  case unavailable(RedisError)
  /// What stands in Redis under this key isn't what a node of ours would write.
  case malformed(String)
  /// The lease is another node's by now; nothing was written.
  case notHeld(StreamID)
  /// A value is larger, or of another form, than may be written; a sentence for a person.
  case refused(String)

  /// Whether the same may succeed later.
  package var canRetry: Bool {
    switch self {
    case .unavailable(let error): error.canRetry
    case .malformed, .notHeld, .refused: false
    }
  }

  package var description: String {
    switch self {
    case .unavailable(let error): error.description
    case .malformed(let key): "what is in Redis under \(key) isn't a record of ours"
    case .notHeld(let stream): "the lease of \(stream) is another node's by now"
    case .refused(let words): words
    }
  }
}
