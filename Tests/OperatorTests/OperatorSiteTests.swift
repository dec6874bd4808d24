import HTTPTypes
import Testing

@testable import Operator

@Suite struct `Requests of the operator` {
  private static let site = OperatorSite(names: ["Origin-1.wedlive.example", "origin-1"])

  private func request(
    to host: String?, _ fields: [String: String] = [:]
  ) throws -> HTTPRequest {
    var request = HTTPRequest(method: .get, scheme: "http", authority: host, path: "/control/drop")
    for (name, value) in fields {
      request.headerFields[try #require(HTTPField.Name(name))] = value
    }
    return request
  }

  @Test(
    arguments: [
      ([:], false), (["Sec-Fetch-Site": "none"], false),
      (["Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:9113"], false),
      (["Sec-Fetch-Site": "cross-site"], true), (["Sec-Fetch-Site": "same-site"], true),
      (["Origin": "https://example.org"], true), (["Origin": "null"], true),
    ] as [([String: String], Bool)])
  func `a page of another site is told apart`(fields: [String: String], isForeign: Bool) throws {
    let request = try request(to: "127.0.0.1:9113", fields)
    #expect((Self.site.objection(to: request) != nil) == isForeign)
  }

  @Test(arguments: [
    "127.0.0.1", "127.0.0.1:9113", "[::1]:9113", "10.1.2.3", "localhost:9113", "LOCALHOST",
    "node.localhost:1", "origin-1:9113", "origin", "origin-1.WEDLIVE.example:9113",
    "origin-1.wedlive.example.", nil,
  ])
  func `the node's own names pass`(host: String?) throws {
    #expect(Self.site.objection(to: try request(to: host)) == nil)
  }

  @Test(arguments: [
    "evil.example:9113", "127.0.0.1.evil.example", "localhost.evil.example:9113", "evil.example.",
    "1.2.3.4.5",
  ])
  func `a name that somebody has had point here does not`(host: String) throws {
    let fields = ["Sec-Fetch-Site": "same-origin", "Origin": "http://\(host)"]
    #expect(Self.site.objection(to: try request(to: host)) != nil)
    #expect(Self.site.objection(to: try request(to: host, fields)) != nil)
  }
}
