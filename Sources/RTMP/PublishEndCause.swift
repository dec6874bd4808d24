/// Why a server ends a publication, where that makes a difference to a relay: a property of our own
/// in the status that ends it, whose words are for people.
package enum PublishEndCause: String, Sendable {
  /// Another server of the cluster has the stream.
  case elsewhere
  /// Somebody who may has ended it: an operator, or the backend. No other server shall go on with
  /// it.
  case dropped
  /// It is a codec that no server of the cluster can use.
  case media

  static let name = "cause"
}

extension Status {
  /// Why the publication has ended; nil where the server doesn't say so, or says something unknown.
  package var endCause: PublishEndCause? {
    more[PublishEndCause.name]?.string.flatMap { PublishEndCause(rawValue: $0) }
  }
}
