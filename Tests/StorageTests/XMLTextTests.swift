import Testing

@testable import Storage

@Suite struct `What S3 writes in XML` {
  private func text(_ document: String) -> XMLText { XMLText(Array(document.utf8)) }

  @Test func `elements are found wherever they stand`() {
    let answer = text(
      "<?xml version=\"1.0\"?>\n<L><Part><N>1</N></Part>\n<Part><N>2</N></Part><Part/></L>")
    #expect(answer.all("Part").map { $0["N"] } == ["1", "2"])
    #expect(answer["N"] == "1")
    #expect(answer["M"] == nil)
    #expect(text("<N>1</M>")["N"] == nil)
    #expect(text("<N><N></N></N></N>").all("N").count == 1)
    #expect(text("").all("N").isEmpty)
  }

  @Test func `what is escaped is read as it was, also beside accents`() {
    for name in ["a&b<c>d\"'", "&amp;lt;", "\u{301}a", "<\u{301}&\u{301}", "", "&#38;", "\r\n"] {
      #expect(
        text("<K>" + XMLText.escaped(name) + "</K>")["K"]?.utf8.elementsEqual(name.utf8) == true)
    }
    #expect(text("<K>&quot;a&#34;&#x22;&apos;&#39;</K>")["K"] == "\"a\"\"''")
    // Those of a document's own, and what is none, stay as they are.
    #expect(text("<K>&lol9;&#xD800;&;&</K>")["K"] == "&lol9;&#xD800;&;&")
  }

  @Test func `a document of a megabyte is read in its time`() {
    let parts = String(repeating: "<Part><N>1</N></Part>", count: 50_000)
    #expect(text(parts).all("Part").count == 50_000)
    #expect(text(String(repeating: "<Part>", count: 200_000)).all("Part").isEmpty)
    #expect(text(String(repeating: "&", count: 1 << 20)).all("Part").isEmpty)
    let entities = "<K>" + String(repeating: "&lol;", count: 200_000) + "</K>"
    #expect(text(entities)["K"]?.utf8.count == 1_000_000)
  }
}
