import HTTPSemantics
import Testing

@Suite struct `A field's value as text` {
  private static let values: [[UInt8]] = [
    [], Array("max-age=600".utf8), Array("Zoë – ok".utf8), [0xe9], [0xe8], [0x22, 0xe9, 0x22],
    [0xc3], [0xef], [0xef, 0x9e], [0xef, 0x9e, 0x80], [0xef, 0x9f, 0xbf, 0x41], [0xef, 0xbb, 0xbf],
    [0xff, 0xfe, 0x20, 0x80], Array(0x80...0xff), Array("\u{fffd}".utf8),
  ]

  @Test func `gives the same bytes again, and differs where they do`() {
    for isOpaque in [false, true] {
      let texts = Self.values.map { FieldText.text($0.span, isOpaque: isOpaque) }
      #expect(texts.map { FieldText.bytes($0) } == Self.values)
      #expect(Set(texts).count == texts.count)
    }
  }

  @Test func `says what UTF-8 says, unless that means nothing`() {
    let (one, two) = ("\u{e9}", "e\u{301}")
    #expect(one == two)
    let texts = [one, two].map { FieldText.text(Array($0.utf8).span) }
    #expect(texts == [one, two])
    let opaque = [one, two].map { FieldText.text(Array($0.utf8).span, isOpaque: true) }
    #expect(opaque[0] != opaque[1])
    #expect(opaque.map { FieldText.bytes($0) } == [one, two].map { Array($0.utf8) })
  }

  @Test func `is written as the bytes it was`() {
    for value in Self.values {
      for isOpaque in [false, true] {
        let text = FieldText.text(value.span, isOpaque: isOpaque)
        let block = HeaderBlock(status: 0, fields: [("x", text), ("y", "z")])
        let written = unsafe Array(block.bytes)
        #expect(written == Array("x: ".utf8) + value + Array("\r\ny: z\r\n".utf8))
      }
    }
  }
}
