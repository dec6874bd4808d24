import HTTPSemantics
import Testing

@testable import HTTPServer

@Suite struct `Addresses that can only be read` {
  @Test(arguments: Method.allCases) func `take GET and HEAD, and name these to all others`(
    method: Method
  ) {
    let answer = ReadOnly.answer(method)
    guard !method.isRetrieval else {
      #expect(answer == nil)
      return
    }
    guard case .prepared(let response)? = answer else {
      Issue.record("there is no answer to \(method)")
      return
    }
    #expect(response.status == (method == .options ? 204 : 405))
    #expect(
      response.identity.fields.contains { $0.name == "allow" && $0.value == "GET, HEAD, OPTIONS" })
  }
}
