import Foundation
import Testing

@testable import Storage

/// The examples of "Authenticating Requests: Using the Authorization Header", Amazon S3 API
/// Reference.
@Suite struct `S3 signatures` {
  private static let empty = S3Client.emptyPayload
  private static let host = "examplebucket.s3.amazonaws.com"
  private let signature = S3Signature(
    accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    region: "us-east-1")

  private func sign(
    _ method: String, _ path: String, _ query: [(name: String, value: String)] = [],
    _ headers: [String: String] = [:], payload: String = empty
  ) -> String {
    var headers = headers
    headers["host"] = Self.host
    headers["x-amz-date"] = "20130524T000000Z"
    headers["x-amz-content-sha256"] = payload
    let line = signature.authorization(
      .init(method: method, path: path, query: query, headers: headers, payload: payload),
      time: "20130524T000000Z")
    return String(line.suffix(64))
  }

  @Test func `are those of Amazon's own examples`() {
    #expect(
      sign("GET", "/test.txt", [], ["range": "bytes=0-9"])
        == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    #expect(
      sign(
        "PUT", "/" + ObjectName.escaped("test$file.text"), [],
        ["date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"],
        payload: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")
        == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
    #expect(
      sign("GET", "/", [("lifecycle", "")])
        == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
    #expect(
      sign("GET", "/", [("prefix", "J"), ("max-keys", "2")])
        == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
  }

  @Test func `have the time in the way that is signed`() {
    #expect(
      S3Signature.timestamp(Date(timeIntervalSince1970: 1_369_353_600.9)) == "20130524T000000Z")
  }

  @Test func `addresses are made of endpoint, bucket and style`() throws {
    var configuration = S3Configuration(bucket: "b-1.x", accessKey: "a", secretKey: "s")
    configuration.region = "eu-west-3"
    #expect(try S3Address(configuration).authority == "s3.eu-west-3.amazonaws.com")
    #expect(try S3Address(configuration).path("a b/ü") == "/b-1.x/a%20b/%C3%BC")
    configuration.usesPathStyle = false
    #expect(try S3Address(configuration).authority == "b-1.x.s3.eu-west-3.amazonaws.com")
    #expect(try S3Address(configuration).path("k") == "/k")
    #expect(try S3Address(configuration).path(nil) == "/")
    configuration.endpoint = "http://127.0.0.1:9000/s3/"
    configuration.usesPathStyle = true
    #expect(try S3Address(configuration).path(nil) == "/s3/b-1.x")
    for wrong in ["127.0.0.1:9000", "ftp://x", "http://", "http://u:p@x", "https://x?y"] {
      configuration.endpoint = wrong
      #expect(throws: StorageError.self) { try S3Address(configuration) }
    }
    configuration.endpoint = ""
    configuration.bucket = "a/../b"
    #expect(throws: StorageError.self) { try S3Address(configuration) }
  }
}
