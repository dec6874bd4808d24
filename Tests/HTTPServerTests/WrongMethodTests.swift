import HTTPSemantics
import HTTPServer
import HTTPTypes
import Testing

@Suite struct `The wrong method` {
  @Test(arguments: [
    (["POST"], "GET isn't taken here; POST is."),
    (["GET", "HEAD"], "GET isn't taken here; GET and HEAD are."),
    (["GET", "HEAD", "OPTIONS"], "GET isn't taken here; GET, HEAD and OPTIONS are."),
    ([], "GET isn't taken here, nor is any other."),
  ])
  func `is named, and those that there are`(allowed: [String], words: String) {
    #expect(WrongMethod.message("GET", allowed) == words)
  }

  @Test func `has its own answer, with all that may be used`() {
    let answers = WrongMethod(allowed: .post)
    for method in Method.allCases { #expect(answers.response(to: method).status == 405) }
    let answer = APIResponse.wrongMethod("TRACE", allowed: ["GET", "HEAD"], "Look at /.")
    #expect(answer.response.status == .methodNotAllowed)
    #expect(answer.response.headerFields[.allow] == "GET, HEAD")
    let words = String(decoding: answer.body, as: UTF8.self)
    #expect(words.contains("TRACE isn't taken here; GET and HEAD are. Look at /."))
  }
}
