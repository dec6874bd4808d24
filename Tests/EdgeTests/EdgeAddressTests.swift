import Testing

@testable import Edge

@Suite struct `Addresses that a response names` {
  @Test(arguments: [
    ("/b", "h/b"), ("b", "h/x/b"), ("../b?q=1", "h/b?q=1"), ("./b", "h/x/b"), ("?q", "h/x/a?q"),
    ("http://h/b", "h/b"), ("https://H", "h/"), ("//h/b", "h/b"), ("b#f", "h/x/b"),
    ("../../../b", "h/b"),
  ]) func `one of the same host is found`(_ reference: String, name: String) {
    #expect(EdgeAddress.resolve(reference, against: "h/x/a?z=1")?.lowercased() == name)
  }

  @Test(arguments: ["http://other/b", "//other/b", "mailto:x", "", "http://h.evil/b"])
  func `another's is none`(_ reference: String) {
    #expect(EdgeAddress.resolve(reference, against: "h/x/a") == nil)
  }
}
