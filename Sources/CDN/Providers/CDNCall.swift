import Bytes
import Foundation
import HTTPClient
import HTTPSemantics
import HTTPTypes

/// One call of an API: sent once, and its answer judged by its status.
struct CDNCall: Sendable {
  let client: HTTPClient
  let deadline: Duration

  /// The longest that an API may ask us to wait.
  private static let longestWait: Duration = .seconds(3_600)

  /// Sends a request.
  ///
  /// - Parameters:
  ///   - request: whole, with its credentials.
  ///   - body: of the request.
  ///   - words: finds what an error's body says, for people; nil where it says nothing.
  /// - Returns: an answer of 200 to 299.
  /// - Throws: what any other answer, or none, means.
  func send(
    _ request: HTTPRequest, _ body: [UInt8] = [],
    words: @Sendable ([UInt8]) -> String?
  ) async throws(CDNError) -> (HTTPResponse, [UInt8]) {
    let response: HTTPResponse
    let bytes: [UInt8]
    do throws(HTTPClientError) {
      (response, bytes) = try await client.send(
        request, body: body, deadline: deadline, maxResponseBytes: 256 << 10)
    } catch {
      throw Self.error(error)
    }
    let status = response.status.code
    guard !(200...299).contains(status) else { return (response, bytes) }
    let said = words(bytes).map { ": \($0)" } ?? ""
    throw CDNError(
      Self.code(status), "HTTP \(status)\(said)",
      retryAfter: Self.retryAfter(response.headerFields, now: Date()))
  }

  /// What a status that isn't one of success means.
  static func code(_ status: Int) -> CDNError.Code {
    switch status {
    case 429: .limited
    case 413: .tooLarge
    case 400, 405, 414, 422, 501: .refused
    case 408, 425, 500...: .unavailable
    // Redirects too: nothing that is purged lies elsewhere.
    default: .denied
    }
  }

  private static func error(_ error: HTTPClientError) -> CDNError {
    let code: CDNError.Code =
      switch error.code {
      case .timedOut: .timedOut
      case .unresolved, .unreachable, .interrupted, .overloaded, .internalFailure: .unavailable
      case .tls: .denied
      case .tooLarge, .brokenResponse: .malformed
      case .badRequest: .refused
      case .cancelled, .closed: .cancelled
      }
    return CDNError(code, error.message)
  }

  /// `Retry-After`, in seconds or as a date; nil where there is none that can be read.
  static func retryAfter(_ fields: HTTPFields, now: Date) -> Duration? {
    guard let name = HTTPField.Name("Retry-After"), let text = fields[name] else { return nil }
    if let seconds = Int(text) {
      return seconds < 0 ? nil : min(.seconds(min(seconds, 1 << 30)), longestWait)
    }
    guard let date = HTTPDate(Array(text.utf8).span) else { return nil }
    return min(.seconds(max(0, date.seconds - Int64(now.timeIntervalSince1970))), longestWait)
  }
}
