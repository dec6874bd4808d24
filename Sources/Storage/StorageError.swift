/// Why a storage did not do what it was asked to; the words say what a person can do about it.
package enum StorageError: Error, Equatable, Sendable, CustomStringConvertible {
  /// It can't be reached, is overloaded or answers 5xx.
  case unreachable(String)
  /// It answered, and doesn't want to: an HTTP status, and its own words.
  case refused(status: Int, String)
  /// It has no such object.
  case notFound(String)
  /// It has other bytes than were sent, or sends others than it has.
  case damaged(String)
  /// It has no room.
  case full(String)
  /// The file to be put can't be read, or is another one than when the upload began.
  case unreadable(String)
  /// The folder of a local storage can't be written or read.
  case failed(String)
  /// The name, or the part of an object, has no sense.
  case outOfRange(String)
  /// The object is in another storage than the one asked.
  case elsewhere(String)
  /// The configuration has no sense.
  case misconfigured(String)
  /// The task was cancelled.
  case cancelled

  /// Whether the same call may succeed later, without anybody doing something about it.
  ///
  /// After the others a person must act; what was to be put stays where it is.
  package var isRetryable: Bool {
    switch self {
    case .unreachable, .damaged, .full, .failed, .cancelled: true
    case .refused, .notFound, .unreadable, .outOfRange, .elsewhere, .misconfigured: false
    }
  }

  /// Stable, for metrics and the API.
  package var code: String {
    switch self {
    case .unreachable: "unreachable"
    case .refused: "refused"
    case .notFound: "not_found"
    case .damaged: "damaged"
    case .full: "full"
    case .unreadable: "unreadable"
    case .failed: "failed"
    case .outOfRange: "out_of_range"
    case .elsewhere: "elsewhere"
    case .misconfigured: "misconfigured"
    case .cancelled: "cancelled"
    }
  }

  /// A sentence for a person, without an end mark.
  package var description: String {
    switch self {
    case .refused(let status, let words): "\(words) (status \(status))"
    case .unreachable(let words), .notFound(let words), .damaged(let words), .full(let words),
      .unreadable(let words), .failed(let words), .outOfRange(let words), .elsewhere(let words),
      .misconfigured(let words):
      words
    case .cancelled: "the work was cancelled"
    }
  }
}
