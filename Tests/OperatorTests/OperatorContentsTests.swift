import Foundation
import Testing

@testable import HTTPServer
@testable import Operator

@Suite struct `What there is on an admin port` {
  @Test func `is named once each, and linked from its page`() {
    let contents = OperatorContents(["/", "/stat", "/cache/purge", "/stat", "/metrics"])
    #expect(contents.text == "/ /stat /cache/purge /metrics")
    let page = contents.page
    #expect(page.status == 200)
    let html = String(decoding: page.identity.body, as: UTF8.self)
    #expect(html.components(separatedBy: "<a ").count - 1 == 3)
    #expect(html.contains(#"<a href="cache/purge">/cache/purge</a>"#))
    #expect(!html.contains(#"href="""#))
  }
}
