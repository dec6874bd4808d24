/// Why a request cannot be understood; always the client's fault, and a retry never helps.
package enum RequestError: Error, Equatable, Sendable {
  /// The request breaks the grammar; `reason` is a stable word for counters and tests.
  case malformed(Reason)
  /// The request line or `:path` is longer than the limit.
  case targetTooLong
  /// The fields are more, or larger together, than the limit.
  case fieldsTooLarge
  /// The body is larger than the limit.
  case bodyTooLarge
  /// The version is neither HTTP/1.0 nor HTTP/1.1.
  case unsupportedVersion
  /// A transfer coding other than chunked, or an expectation other than 100-continue.
  case unsupported

  package enum Reason: String, Sendable {
    case requestLine, method, target, pathEscape, pathTraversal, version, fieldName, fieldValue
    case bareCarriageReturn, bareLineFeed, spaceBeforeColon, obsoleteFolding
    case contentLength, severalContentLengths, contentLengthAndTransferEncoding
    case transferEncoding, chunkSize, chunkEnd, host, pseudoHeader
  }

  /// The status the client is told.
  package var status: Int {
    switch self {
    case .malformed: 400
    case .targetTooLong: 414
    case .fieldsTooLarge: 431
    case .bodyTooLarge: 413
    case .unsupportedVersion: 505
    case .unsupported: 501
    }
  }
}
