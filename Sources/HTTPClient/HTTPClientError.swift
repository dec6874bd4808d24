/// Why an exchange over HTTP gave no response.
package struct HTTPClientError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What failed; stable, for code and metrics.
  package enum Code: String, Sendable, CaseIterable {
    case badRequest, unresolved, unreachable, timedOut, tls, tooLarge, brokenResponse
    case interrupted, cancelled, overloaded, closed, internalFailure
  }

  /// Who can do something about it.
  package enum Fault: String, Sendable { case ours, theirs, network }

  package let code: Code
  /// The library's own words; never holds a header or a body.
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// Whose fault it was.
  package var fault: Fault {
    switch code {
    case .badRequest, .cancelled, .overloaded, .closed, .internalFailure: .ours
    case .unresolved, .unreachable, .timedOut, .interrupted: .network
    case .tls, .tooLarge, .brokenResponse: .theirs
    }
  }

  /// Whether the same request may succeed later.
  ///
  /// Only the caller knows whether repeating it is
  /// safe: after `.timedOut` and `.interrupted` the server may have acted on it.
  package var canRetry: Bool {
    switch code {
    case .unresolved, .unreachable, .timedOut, .interrupted, .overloaded: true
    case .badRequest, .tls, .tooLarge, .brokenResponse, .cancelled, .closed, .internalFailure:
      false
    }
  }

  package var description: String { "\(code.rawValue): \(message)" }
}
