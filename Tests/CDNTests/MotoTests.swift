import BlockingSupport
import RedisSupport
import Foundation
import HTTPClient
import HTTPTypes
import Testing

@testable import CDN

/// `moto_server`, which others wrote; run where it is installed.
@Suite(.blocking, .timeLimit(.minutes(2))) struct `CloudFront as moto plays it` {
  private static let program = try? RedisServerProcess.executable("moto_server")

  @Test(.enabled(if: program != nil)) func `makes an invalidation of what is purged`() async throws
  {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(Self.program))
    let port = try RedisServerProcess.freePort()
    process.arguments = ["-H", "127.0.0.1", "-p", "\(port)"]
    (process.standardOutput, process.standardError) =
      (FileHandle.nullDevice, FileHandle.nullDevice)
    try process.run()
    defer { process.terminate() }
    let client = try HTTPClient()
    func ask(
      _ method: HTTPRequest.Method, _ path: String, _ body: String = ""
    ) async throws -> String {
      var request = HTTPRequest(
        method: method, scheme: "http", authority: "127.0.0.1:\(port)", path: path)
      request.headerFields[.authorization] =
        "AWS4-HMAC-SHA256 Credential=a/20261128/us-east-1/cloudfront/aws4_request"
      request.headerFields[.contentType] = "application/xml"
      let (_, bytes) = try await client.send(
        request, body: Array(body.utf8), deadline: .seconds(10))
      return String(decoding: bytes, as: UTF8.self)
    }
    try await wait { (try? await ask(.get, "/moto-api/")) != nil }
    let made = try await ask(
      .post, "/2020-05-31/distribution",
      """
      <DistributionConfig xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">
      <CallerReference>r</CallerReference><Comment>c</Comment><Enabled>true</Enabled>
      <Origins><Quantity>1</Quantity><Items><Origin><Id>o</Id>
      <DomainName>origin.example</DomainName><CustomOriginConfig><HTTPPort>80</HTTPPort>
      <HTTPSPort>443</HTTPSPort><OriginProtocolPolicy>https-only</OriginProtocolPolicy>
      </CustomOriginConfig></Origin></Items></Origins>
      <DefaultCacheBehavior><TargetOriginId>o</TargetOriginId>
      <ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy></DefaultCacheBehavior>
      </DistributionConfig>
      """)
    let id = try #require(made.firstMatch(of: /<Id>(\w+)<\/Id>/)?.1)
    var configuration = CloudFront.Configuration(
      distribution: String(id), accessKey: "a", secretKey: "b")
    configuration.endpoint = "http://127.0.0.1:\(port)"
    let provider = try CloudFront(configuration, client)
    try await provider.send(
      PurgeBatch(
        id: "reference-1",
        [
          CDNPurge(wedding: "w1", .path("/hls/w1/index.m3u8"), reason: "test"),
          CDNPurge(wedding: "w2", .tag("w2"), reason: "test"),
        ]))
    let list = try await ask(.get, "/2020-05-31/distribution/\(id)/invalidation")
    let invalidation = try #require(
      list.firstMatch(of: /<InvalidationSummary>\s*<Id>(\w+)<\/Id>/)?.1
        ?? list.firstMatch(
          of: /<Id>(\w+)<\/Id>/)?.1)
    let found = try await ask(
      .get, "/2020-05-31/distribution/\(id)/invalidation/\(invalidation)")
    #expect(found.contains("<Path>/hls/w1/index.m3u8</Path>"))
    #expect(found.contains("<Path>/hls/w2/*</Path>"))
    #expect(found.contains("reference-1"))
  }
}
