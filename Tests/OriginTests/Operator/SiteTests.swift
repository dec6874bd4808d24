import HTTPTypes
import Testing

@testable import Origin

@Suite struct `Requests of browsers` {
  @Test(
    arguments: [
      ([:], false), (["Sec-Fetch-Site": "none"], false),
      (["Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:9113"], false),
      (["Sec-Fetch-Site": "cross-site"], true), (["Sec-Fetch-Site": "same-site"], true),
      (["Origin": "https://example.org"], true), (["Origin": "null"], true),
    ] as [([String: String], Bool)])
  func `a page of another site is told apart`(fields: [String: String], isForeign: Bool) throws {
    var all = HTTPFields()
    for (name, value) in fields { all[try #require(HTTPField.Name(name))] = value }
    #expect(all.isFromAnotherSite == isForeign)
  }
}
