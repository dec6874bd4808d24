/// Why a CDN did not do what it was asked, as far as is known.
package struct CDNError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What failed; stable, for code and metrics.
  package enum Code: String, Sendable, CaseIterable {
    /// It will never do this purge: what is asked isn't anything to it.
    case refused
    /// More than it takes in one call.
    case tooLarge = "too_large"
    /// Too many calls, or too much under way.
    case limited
    /// It doesn't take our credentials, or there is no such distribution, zone or service.
    case denied
    /// It has an error of its own, or can't be reached.
    case unavailable
    /// It said nothing in time; it may have done it.
    case timedOut = "timed_out"
    /// Its answer can't be read; it may have done it.
    case malformed
    /// It can't be asked like this; a sentence for a person.
    case misconfigured
    /// The task was cancelled, or the client closed.
    case cancelled
    /// There is no room in the queue.
    case full
    /// The queue itself can't be reached.
    case queueUnavailable = "queue_unavailable"
  }

  package let code: Code
  /// The peer's own words, without control characters, never with a credential of ours.
  package let message: String
  /// How long it asks to be left alone.
  package let retryAfter: Duration?

  package init(_ code: Code, _ message: String, retryAfter: Duration? = nil) {
    self.code = code
    let printable = message.unicodeScalars.prefix(300).map { scalar in
      scalar.value < 0x20 || scalar.value == 0x7F ? " " : Character(scalar)
    }
    self.message = String(printable)
    self.retryAfter = retryAfter
  }

  /// Whether the same call may succeed later.
  package var canRetry: Bool {
    switch code {
    case .refused, .tooLarge, .misconfigured: false
    case .limited, .denied, .unavailable, .timedOut, .malformed, .cancelled, .full,
      .queueUnavailable:
      true
    }
  }

  package var description: String { "\(code.rawValue): \(message)" }
}
