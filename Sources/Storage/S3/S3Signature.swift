import Bytes
import Crypto
package import Foundation

/// Signs requests with a secret key: AWS Signature Version 4.
///
/// Source: "Authenticating Requests: Using the Authorization Header", Amazon S3 API Reference. Ours
/// and not libcurl's: decision 0019.
package struct S3Signature: Sendable {
  let accessKey: String
  let secretKey: String
  let region: String
  let service: String

  /// - Parameters:
  ///   - accessKey: names the secret key.
  ///   - secretKey: never sent.
  ///   - region: of the service.
  ///   - service: S3, or another one of AWS'.
  package init(accessKey: String, secretKey: String, region: String, service: String = "s3") {
    self.accessKey = accessKey
    self.secretKey = secretKey
    self.region = region
    self.service = service
  }

  /// What is signed of a request.
  package struct Request: Sendable {
    var method: String
    /// Escaped, as it is sent.
    var path: String
    /// Neither escaped nor sorted.
    var query: [(name: String, value: String)] = []
    /// By lower-case names: `host`, and all that begin with `x-amz-` among them.
    var headers: [String: String]
    /// SHA-256 of the body, as hexadecimal digits.
    var payload: String

    package init(
      method: String, path: String, query: [(name: String, value: String)] = [],
      headers: [String: String], payload: String
    ) {
      self.method = method
      self.path = path
      self.query = query
      self.headers = headers
      self.payload = payload
    }
  }

  /// The value of `Authorization`.
  ///
  /// - Parameters:
  ///   - request: with `x-amz-date` among its headers.
  ///   - time: the same time, as `timestamp` writes it.
  /// - Returns: one line.
  package func authorization(_ request: Request, time: String) -> String {
    let names = request.headers.keys.sorted()
    let signed = names.joined(separator: ";")
    let lines = names.map { "\($0):\(Self.trimmed(request.headers[$0] ?? ""))\n" }.joined()
    let canonical = [
      request.method, request.path, Self.query(request.query), lines, signed, request.payload,
    ].joined(separator: "\n")
    let day = String(time.prefix(8))
    let scope = "\(day)/\(region)/\(service)/aws4_request"
    let text = [
      "AWS4-HMAC-SHA256", time, scope,
      Hexadecimal.text(SHA256.hash(data: Data(canonical.utf8))),
    ].joined(separator: "\n")
    var key = SymmetricKey(data: Data("AWS4\(secretKey)".utf8))
    for word in [day, region, service, "aws4_request", text] {
      key = SymmetricKey(
        data: HMAC<SHA256>.authenticationCode(for: Data(word.utf8), using: key))
    }
    let signature = unsafe key.withUnsafeBytes { unsafe Hexadecimal.text(Array($0)) }
    return "AWS4-HMAC-SHA256 Credential=\(accessKey)/\(scope),SignedHeaders=\(signed)"
      + ",Signature=\(signature)"
  }

  /// The query, as it is signed and as it is sent.
  static func query(_ items: [(name: String, value: String)]) -> String {
    var pairs: [(name: String, value: String)] = []
    for item in items {
      pairs.append(
        (
          ObjectName.escaped(item.name, keepingSlashes: false),
          ObjectName.escaped(item.value, keepingSlashes: false)
        ))
    }
    pairs.sort { $0.name == $1.name ? $0.value < $1.value : $0.name < $1.name }
    return pairs.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
  }

  /// A time as it is signed: `20130524T000000Z`.
  package static func timestamp(_ time: Date) -> String {
    let style = Date.ISO8601FormatStyle(
      dateSeparator: .omitted, dateTimeSeparator: .standard, timeSeparator: .omitted)
    return time.formatted(style)
  }

  /// Without spaces at its ends, and with one where there are several.
  private static func trimmed(_ value: String) -> String {
    value.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
  }
}
