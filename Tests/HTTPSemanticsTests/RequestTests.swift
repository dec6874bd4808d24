import HTTPSemantics
import Testing

extension Request {
  /// A GET of a target, with fields.
  static func made(
    _ target: String, method: String = "GET", _ fields: [(String, String)] = []
  ) throws(RequestError) -> Request {
    var request = Request(limits: RequestLimits())
    let methodBytes = Array(method.utf8)
    try request.set(method: methodBytes.span)
    let targetBytes = Array(target.utf8)
    try request.set(target: targetBytes.span)
    for (name, value) in fields {
      let name = Array(name.utf8)
      let value = Array(value.utf8)
      try request.add(name: name.span, value: value.span)
    }
    return request
  }
}

@Suite struct `Request target` {
  @Test(arguments: [
    ("/", "/", ""), ("/a/b.ts", "/a/b.ts", ""), ("/a%20b", "/a b", ""), ("//a///b", "/a/b", ""),
    ("/a?x=1&y", "/a", "x=1&y"), ("/?", "/", ""), ("/a?b?c=/../", "/a", "b?c=/../"),
    ("/...", "/...", ""), ("/..a/.b", "/..a/.b", ""), ("/%C3%A9", "/é", ""),
    ("http://host/x?q", "/x", "q"), ("HTTPS://host", "/", ""), ("http://h?z", "/", "z"),
  ]) func `is decoded into a path and a query`(target: String, path: String, query: String) throws {
    let request = try Request.made(target)
    #expect(request.path == path)
    #expect(request.withQuery { String(copying: $0) } == query)
  }

  @Test(arguments: [
    ("/a%20b?x", "/a%20b?x"), ("http://h/x?q", "/x?q"), ("http://h?z=1", "/?z=1"),
    ("https://h", "/"),
  ]) func `is kept as it was sent, without scheme and authority`(
    target: String, kept: String
  ) throws {
    #expect(try Request.made(target).target == kept)
  }

  @Test(arguments: [
    "/..", "/../etc/passwd", "/a/../b", "/a/.", "/./a", "/a/%2e%2e/b", "/%2E./", "/.%2e",
    "/a//../b", "/..?x", "/a/..%2fb", "/%00", "/a%2Fb", "/a%5cb", "/a\\b", "/%", "/%4", "/%zz",
    "/a%0d%0ab", "/a b", "/a#b", "a", "", "ftp://h/", "http:///x", "http://u@h/", "/a?b c", "*",
    "/a?\u{7f}",
  ]) func `that could mean two things is refused`(target: String) {
    #expect(throws: RequestError.self) { _ = try Request.made(target).path }
  }

  @Test func `longer than the limit is refused with 414`() {
    let long = "/" + String(repeating: "a", count: RequestLimits().targetBytes)
    #expect(throws: RequestError.targetTooLong) { _ = try Request.made(long).path }
  }

  @Test func `of OPTIONS may be an asterisk`() throws {
    #expect(try Request.made("*", method: "OPTIONS").path == "*")
  }

  @Test func `has values in its query`() throws {
    let request = try Request.made(
      "/x?_HLS_msn=12&_HLS_msn=13&token=a%2Bb+c&empty=&flag&n=99999999999999999999")
    #expect(request.queryInteger("_HLS_msn") == 12)
    #expect(request.queryValue("token") == "a+b c")
    #expect(request.queryValue("empty") == "")
    #expect(request.queryValue("flag") == "")
    #expect(request.queryValue("oken") == nil)
    #expect(request.queryInteger("n") == nil)
    #expect(request.queryInteger("flag") == nil)
  }
}

@Suite struct `Request fields` {
  @Test func `are found by name, also when there are several`() throws {
    let request = try Request.made(
      "/",
      [
        ("cookie", "a=1; session=x"), ("x-other", "1"), ("cookie", "b=2;token=y=z"),
        ("authorization", "Bearer  abc.def"),
      ])
    #expect(request.count(of: .cookie) == 2)
    #expect(request.cookie("session") == "x")
    #expect(request.cookie("token") == "y=z")
    #expect(request.cookie("oken") == nil)
    #expect(request.bearerToken == "abc.def")
    #expect(request.has(.range) == false)
    var names: [String] = []
    request.forEachField { name, _ in names.append(String(copying: name)) }
    #expect(names == ["cookie", "x-other", "cookie", "authorization"])
  }

  @Test func `of the last request are forgotten`() throws {
    var request = try Request.made("/", [("range", "bytes=0-"), ("cookie", "a=1")])
    request.reset()
    #expect(request.has(.range) == false)
    #expect(request.cookie("a") == nil)
    #expect(request.isConditional == false)
    let name = Array("range".utf8)
    let value = Array("bytes=1-".utf8)
    try request.add(name: name.span, value: value.span)
    #expect(request.count(of: .range) == 1)
    #expect(request.string(.range) == "bytes=1-")
  }

  @Test func `beyond the limit are refused`() {
    let many = Array(repeating: ("a", "b"), count: 101)
    #expect(throws: RequestError.fieldsTooLarge) { _ = try Request.made("/", many).path }
    let large = [("a", String(repeating: "b", count: 16 << 10))]
    #expect(throws: RequestError.fieldsTooLarge) { _ = try Request.made("/", large).path }
  }

  @Test(arguments: [
    ("gzip", true), ("deflate, gzip;q=0.5", true), ("*", true), ("x-gzip", true), ("GZip", true),
    ("gzip;q=0", false), ("gzip;q=0.000", false), ("*, gzip;q=0", false), ("br", false),
    ("identity", false), ("", false), ("gzip;q=0.001", true),
  ]) func `say whether gzip may be sent`(value: String, accepted: Bool) throws {
    #expect(try Request.made("/", [("accept-encoding", value)]).acceptsGzip == accepted)
  }
}

@Suite struct `HTTP date` {
  @Test(arguments: [
    "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
  ]) func `is read in all three forms`(text: String) {
    let bytes = Array(text.utf8)
    #expect(HTTPDate(bytes.span) == HTTPDate(seconds: 784_111_777))
  }

  @Test(arguments: [0, 951_782_400, 784_111_777, 1_764_240_000, 4_102_444_799, 68_169_600])
  func `comes back as it was written`(seconds: Int64) {
    let bytes = HTTPDate(seconds: seconds).bytes
    #expect(bytes.count == HTTPDate.textBytes)
    #expect(HTTPDate(bytes.span)?.seconds == seconds)
  }

  @Test(arguments: [
    "", "yesterday", "Sun, 99 Nov 1994 08:49:37 GMT", "0", "06 Nov 1994",
    "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 94 08:49:37 GMT", "Sun 06 Nov 1994 08:49:37 GMT",
    "Sun, 06  Nov  1994 08:49:37 GMT", "Sun, 06-Nov-1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08.49.37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06 Now 1994 08:49:37 GMT",
    "Sunday, 06-Nov-1994 08:49:37 GMT", "Sun Nov 06 08:49:37 94",
  ])
  func `that is none is ignored`(text: String) {
    let bytes = Array(text.utf8)
    #expect(HTTPDate(bytes.span) == nil)
  }
}
