import Bytes
import Crypto
import Foundation
package import HTTPClient
import HTTPTypes
import Storage

/// Amazon CloudFront: invalidations of paths, signed with a secret key.
///
/// CloudFront knows no tags: a tag's purge is that of all that the wedding has. Source: CloudFront
/// API Reference, CreateInvalidation; quotas of the CloudFront Developer Guide.
package struct CloudFront: CDNProvider {
  package struct Configuration: Sendable {
    package var distribution: String
    package var accessKey: String
    package var secretKey: String
    /// Of temporary credentials.
    package var sessionToken: String?
    package var endpoint = "https://cloudfront.amazonaws.com"
    /// Paths that may be under way at once; a call has no more.
    package var maxPaths = 3_000
    /// Wildcards that may be under way at once.
    package var maxWildcards = 15
    /// Where all of a wedding is, for purges by tag.
    package var weddingPrefix = "/hls/{wedding}/"
    package var deadline: Duration = .seconds(20)

    package init(distribution: String, accessKey: String, secretKey: String) {
      self.distribution = distribution
      self.accessKey = accessKey
      self.secretKey = secretKey
    }
  }

  package let name = "cloudfront"
  package var deadline: Duration { call.deadline }
  private let configuration: Configuration
  private let address: CDNAddress
  private let call: CDNCall
  private let signature: S3Signature

  /// - Throws: `.misconfigured`, with a sentence for a person.
  package init(_ configuration: Configuration, _ client: HTTPClient) throws(CDNError) {
    guard CDNAddress.isIdentifier(configuration.distribution) else {
      throw CDNError(
        .misconfigured, "\(configuration.distribution.debugDescription) is no distribution's id")
    }
    guard CDNAddress.isCredential(configuration.accessKey), !configuration.secretKey.isEmpty else {
      throw CDNError(.misconfigured, "CloudFront needs an access key and a secret key")
    }
    self.configuration = configuration
    address = try CDNAddress(configuration.endpoint)
    call = CDNCall(client: client, deadline: configuration.deadline)
    // CloudFront has one endpoint for all regions, which signs as this one.
    signature = S3Signature(
      accessKey: configuration.accessKey, secretKey: configuration.secretKey,
      region: "us-east-1", service: "cloudfront")
  }

  package func group(of purge: CDNPurge) -> PurgeGroup {
    let isWildcard = if case .path = purge.target { false } else { true }
    return PurgeGroup(
      "paths", limit: configuration.maxPaths, weight: isWildcard ? 1 : 0,
      weightLimit: configuration.maxWildcards)
  }

  /// A purge's path, as an invalidation has it.
  private func path(_ purge: CDNPurge) -> String {
    switch purge.target {
    case .path(let path): path
    case .prefix(let prefix): prefix + "*"
    case .tag:
      configuration.weddingPrefix.replacingOccurrences(of: "{wedding}", with: purge.wedding) + "*"
    }
  }

  package func send(_ batch: PurgeBatch) async throws(CDNError) {
    var seen: Set<String> = []
    let paths = batch.purges.map(path).filter { seen.insert($0).inserted }
    let items = paths.map { "<Path>\(XMLText.escaped($0))</Path>" }.joined()
    // The same reference with the same paths is the same invalidation.
    let body = Array(
      ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
        + "<InvalidationBatch xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">"
        + "<Paths><Quantity>\(paths.count)</Quantity><Items>\(items)</Items></Paths>"
        + "<CallerReference>\(XMLText.escaped(batch.id))</CallerReference></InvalidationBatch>")
        .utf8)
    do throws(CDNError) {
      let (response, bytes) = try await call.send(request(body), body, words: Self.words)
      guard response.status.code == 201, XMLText(bytes)["Id"]?.isEmpty == false else {
        throw CDNError(.malformed, "HTTP \(response.status.code) without an invalidation's id")
      }
    } catch {
      throw Self.meaning(of: error)
    }
  }

  private func request(_ body: [UInt8]) -> HTTPRequest {
    let time = S3Signature.timestamp(Date())
    let path =
      "\(address.basePath)/2020-05-31/distribution/\(configuration.distribution)/invalidation"
    let payload = Hexadecimal.text(SHA256.hash(data: body))
    var headers = [
      "host": address.authority, "x-amz-date": time, "x-amz-content-sha256": payload,
      "content-type": "application/xml",
    ]
    if let token = configuration.sessionToken { headers["x-amz-security-token"] = token }
    let authorization = signature.authorization(
      S3Signature.Request(method: "POST", path: path, headers: headers, payload: payload),
      time: time)
    var request = HTTPRequest(
      method: .post, scheme: address.scheme, authority: address.authority, path: path)
    headers["host"] = nil
    headers["authorization"] = authorization
    for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
      if let field = HTTPField.Name(name) { request.headerFields[field] = value }
    }
    return request
  }

  private static func words(_ body: [UInt8]) -> String? {
    let text = XMLText(body)
    return text["Code"].map { "\($0): \(text["Message"] ?? "")" }
  }

  /// Two answers have statuses that others share.
  private static func meaning(of error: CDNError) -> CDNError {
    let message = error.message
    // `Throttling`, and on some paths `ThrottlingException`.
    if message.contains(": TooManyInvalidationsInProgress") || message.contains(": Throttling") {
      return CDNError(.limited, message, retryAfter: error.retryAfter)
    }
    if message.contains(": BatchTooLarge") { return CDNError(.tooLarge, message) }
    return error
  }
}
