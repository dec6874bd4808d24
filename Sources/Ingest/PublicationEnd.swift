package import RTMP

/// Why no more comes of a publisher.
package enum PublicationEnd: Equatable, Sendable {
  /// It has said so.
  case said(EndReason)
  /// Its connection broke off, or was closed without a word: neither side ended it in order.
  case brokenOff(String)
  /// Another node of the cluster has its stream.
  case elsewhere
  /// Somebody who may has ended it, for one of a fixed few reasons.
  case dropped(String)
  /// We have ended it, for one of a fixed few reasons.
  case other(String)

  /// For a relay, where it makes a difference to that.
  var cause: PublishEndCause? {
    switch self {
    case .elsewhere: .elsewhere
    case .dropped: .dropped
    case .said, .brokenOff, .other: nil
    }
  }

  /// For a log line, and for the publisher where it hears of it.
  package var words: String {
    switch self {
    case .said(let reason): reason.rawValue
    case .elsewhere: "another server has this stream now"
    case .dropped(let words), .brokenOff(let words), .other(let words): words
    }
  }
}
