import Bytes
import Crypto
import Foundation
import HTTPClient
import HTTPTypes

/// Sends signed requests for a bucket, and says what its errors mean.
struct S3Client: Sendable {
  let configuration: S3Configuration
  let address: S3Address
  private let signature: S3Signature
  private let outbound: Outbound

  /// SHA-256 of nothing.
  static let emptyPayload = Hexadecimal.text(SHA256.hash(data: Data()))

  init(_ configuration: S3Configuration, client: HTTPClient) throws(StorageError) {
    self.configuration = configuration
    address = try S3Address(configuration)
    signature = S3Signature(
      accessKey: configuration.accessKey, secretKey: configuration.secretKey,
      region: configuration.region)
    outbound = Outbound(
      client: client, patience: configuration.patience, peer: "S3 at \(address.authority)")
  }

  /// A call, without what signing adds.
  struct Call: Sendable {
    var method: HTTPRequest.Method
    var key: String?
    var query: [(name: String, value: String)] = []
    /// By lower-case names.
    var headers: [String: String] = [:]
    var body = OutgoingBody.none
    /// SHA-256 of the body, as hexadecimal digits.
    var payload = S3Client.emptyPayload
    var maxResponseBytes = 1 << 20
    /// Whether the service may be silent for minutes before it answers.
    var isLengthy = false
    /// Errors of the service's that are an answer: `NoSuchUpload`.
    var expected: Set<String> = []
  }

  /// Sends a call.
  ///
  /// - Returns: the head, the body, and the error of the service's if it was an expected one.
  /// - Throws: `StorageError`, with the service's words and what to do.
  func send(
    _ call: Call
  ) async throws(StorageError) -> (head: HTTPResponse, body: [UInt8], error: String?) {
    let (head, body) = try await outbound.send(
      body: call.body, maxResponseBytes: call.maxResponseBytes, isLengthy: call.isLengthy,
      make: { request(call) },
      judge: { head, body in
        guard let problem = Self.problem(head, body, call) else { return .done }
        if call.expected.contains(problem.code) { return .done }
        return .failed(error(problem))
      })
    let problem = Self.problem(head, body, call)
    return (head, body, problem?.code)
  }

  private func request(_ call: Call) -> HTTPRequest {
    let time = S3Signature.timestamp(Date())
    let path = address.path(call.key)
    var headers = call.headers
    headers["host"] = address.authority
    headers["x-amz-date"] = time
    headers["x-amz-content-sha256"] = call.payload
    let authorization = signature.authorization(
      S3Signature.Request(
        method: call.method.rawValue, path: path, query: call.query, headers: headers,
        payload: call.payload), time: time)
    let query = S3Signature.query(call.query)
    var request = HTTPRequest(
      method: call.method, scheme: address.scheme, authority: address.authority,
      path: query.isEmpty ? path : path + "?" + query)
    headers["host"] = nil
    headers["authorization"] = authorization
    for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
      if let field = HTTPField.Name(name) { request.headerFields[field] = value }
    }
    return request
  }

  /// What is wrong with an answer.
  private struct Problem {
    var status: Int
    var code: String
    var message: String
    var region: String?
  }

  private static func problem(
    _ head: HTTPResponse, _ body: [UInt8], _ call: Call
  ) -> Problem? {
    let status = head.status.code
    if (200...299).contains(status) {
      // Completing an upload begins its answer before it knows the outcome.
      guard call.method == .post, body.count < 1 << 16 else { return nil }
      let text = XMLText(body)
      guard text["Error"] != nil, let code = text["Code"] else { return nil }
      return Problem(status: status, code: code, message: text["Message"] ?? "")
    }
    let text = XMLText(Array(body.prefix(1 << 16)))
    // An answer to HEAD has no body to say it in.
    let code = text["Code"] ?? (status == 404 ? "NoSuchKey" : "status \(status)")
    return Problem(
      status: status, code: code, message: text["Message"] ?? "", region: text["Region"])
  }

  private func error(_ problem: Problem) -> StorageError {
    let said = problem.message.isEmpty ? problem.code : "\(problem.code), \(problem.message)"
    let words = "\(outbound.peer) says \(Self.printable(said))"
    switch problem.code {
    case "SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "OperationAborted":
      return .unreachable(words)
    case "BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch":
      return .damaged("\(words): the bytes were changed on their way")
    case "NoSuchBucket":
      return .refused(
        status: problem.status,
        "\(words): make the bucket \(configuration.bucket), or set"
          + " storage.s3.bucket to one that is there")
    case "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken":
      return .refused(
        status: problem.status,
        "\(words): look at storage.s3.access_key and storage.s3.secret_key")
    case "AccessDenied", "AllAccessDisabled", "AccountProblem":
      return .refused(
        status: problem.status,
        "\(words): the key needs s3:PutObject, s3:GetObject,"
          + " s3:DeleteObject, s3:AbortMultipartUpload, s3:ListMultipartUploadParts and s3:ListBucket"
          + " in the bucket \(configuration.bucket)")
    case "RequestTimeTooSkewed", "RequestExpired":
      return .refused(status: problem.status, "\(words): set the clock of this machine")
    case "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect":
      return .refused(
        status: problem.status,
        "\(words): look at storage.s3.region"
          + (problem.region.map { ", which should be \(Self.printable($0))" } ?? "")
          + ", and storage.s3.endpoint")
    case "QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "StorageFull":
      return .full(words)
    case "NoSuchKey": return .notFound(words)
    default: break
    }
    switch problem.status {
    // What a service doesn't know today it won't know in a minute either.
    case 501: return .refused(status: problem.status, words)
    case 408, 425, 429, 500...506, 508...599: return .unreachable(words)
    case 507: return .full(words)
    case 301, 302, 307, 308:
      return .refused(status: problem.status, "\(words): look at storage.s3.endpoint")
    default: return .refused(status: problem.status, words)
    }
  }

  private static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F })
        .prefix(300))
  }
}
