import HTTPSemantics
import Testing

@Suite struct `Byte ranges` {
  @Test(arguments: [
    ("bytes=0-", RangeRequest.single(0..<10)), ("bytes=0-0", .single(0..<1)),
    ("bytes=5-99", .single(5..<10)), ("bytes=-3", .single(7..<10)),
    ("bytes=-99", .single(0..<10)), ("bytes=9-9", .single(9..<10)),
    ("Bytes=1-2", .single(1..<3)), ("bytes=0-1,4-5", .several([0..<2, 4..<6])),
    ("bytes= 0-1 , -1", .several([0..<2, 9..<10])), ("bytes=0-1,20-30", .single(0..<2)),
    ("bytes=10-", .unsatisfiable), ("bytes=-0", .unsatisfiable),
    ("bytes=10-20,30-", .unsatisfiable),
    ("bytes=99999999999999999999-", .unsatisfiable),
    ("bytes=0-99999999999999999999", .single(0..<10)),
    ("bytes=5-2", .whole), ("bytes=a-b", .whole), ("bytes=", .whole), ("bytes=-", .whole),
    ("lines=0-1", .whole), ("bytes=1", .whole), ("bytes 0-1", .whole), ("bytes=0-1;2-3", .whole),
    ("bytes=0-9,0-9", .whole), ("bytes=,", .whole), ("bytes=--1", .whole),
  ]) func `are read against ten bytes`(value: String, expected: RangeRequest) {
    let bytes = Array(value.utf8)
    #expect(RangeRequest(bytes.span, length: 10) == expected)
  }

  @Test func `of more than there is don't overflow, however long the whole is`() {
    let bytes = Array("bytes=0-,-1".utf8)
    #expect(RangeRequest(bytes.span, length: Int.max) == .whole)
  }

  @Test func `in great number are answered with the whole`() {
    let many = "bytes=" + (0..<17).map { "\($0 * 2)-\($0 * 2)" }.joined(separator: ",")
    let bytes = Array(many.utf8)
    #expect(RangeRequest(bytes.span, length: 100) == .whole)
  }
}

@Suite struct `Preconditions` {
  private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"
  private static let earlier = "Sun, 06 Nov 1994 08:49:36 GMT"
  private static let validators = Validators(
    entityTag: Array("\"v1\"".utf8), lastModified: HTTPDate(seconds: 784_111_777))

  @Test(arguments: [
    ([("if-none-match", "\"v1\"")], Precondition.notModified),
    ([("if-none-match", "W/\"v1\"")], .notModified),
    ([("if-none-match", "\"v0\", \"v1\"")], .notModified),
    ([("if-none-match", "\"v0\"")], .proceed), ([("if-none-match", "*")], .notModified),
    ([("if-none-match", "\"a,b\", \"v1\"")], .notModified),
    ([("if-none-match", "v1")], .proceed),
    ([("if-modified-since", date)], .notModified), ([("if-modified-since", earlier)], .proceed),
    ([("if-modified-since", "nonsense")], .proceed),
    ([("if-none-match", "\"v0\""), ("if-modified-since", date)], .proceed),
    ([("if-match", "\"v1\"")], .proceed), ([("if-match", "*")], .proceed),
    ([("if-match", "\"v0\"")], .failed), ([("if-match", "W/\"v1\"")], .failed),
    ([("if-unmodified-since", date)], .proceed), ([("if-unmodified-since", earlier)], .failed),
    ([("if-match", "\"v1\""), ("if-unmodified-since", earlier)], .proceed),
    ([("if-match", "\"v0\""), ("if-none-match", "\"v1\"")], .failed),
  ]) func `are evaluated in their order`(
    fields: [(String, String)], expected: Precondition
  ) throws {
    let request = try Request.made("/", fields)
    #expect(Self.validators.evaluate(request) == expected)
  }

  @Test func `of an unsafe method fail instead of saving a body`() throws {
    let request = try Request.made("/", method: "PUT", [("if-none-match", "*")])
    #expect(Self.validators.evaluate(request) == .failed)
  }

  @Test(arguments: [
    ("\"v1\"", RangeRequest.single(2..<4)), ("\"v0\"", .whole), ("W/\"v1\"", .whole),
    (date, .single(2..<4)), (earlier, .whole), ("nonsense", .whole),
  ]) func `of a range decide between part and whole`(
    value: String, expected: RangeRequest
  ) throws {
    let request = try Request.made("/", [("range", "bytes=2-3"), ("if-range", value)])
    #expect(Self.validators.range(request, length: 10) == expected)
  }

  @Test func `are nothing to HEAD where ranges are concerned`() throws {
    let request = try Request.made("/", method: "HEAD", [("range", "bytes=2-3")])
    #expect(Self.validators.range(request, length: 10) == .whole)
  }
}
