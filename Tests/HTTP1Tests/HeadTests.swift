import HTTP1
import HTTPSemantics
import Testing

/// What a head came to, as values that a test can compare.
struct Head: Equatable {
  var method = ""
  var path = ""
  var authority = ""
  var fields: [String] = []
  var framing = RequestFraming()
}

/// Scans and parses `text`, given in pieces that end at `cuts`; nil where it is not whole.
func head(_ text: String, cuts: [Int] = []) throws(RequestError) -> Head? {
  let bytes = Array(text.utf8)
  var scanner = HeadScanner()
  var request = Request(limits: RequestLimits())
  var scanned = 0
  for cut in cuts + [bytes.count] {
    let part = Array(bytes[..<cut])
    guard let end = try scanner.scan(part.span, from: scanned, limits: RequestLimits()) else {
      scanned = cut
      continue
    }
    let whole = Array(bytes[..<end])
    let framing = try HeadParser.parse(whole.span, into: &request)
    var head = Head()
    head.method = request.methodName
    head.path = request.path
    head.authority = request.authority
    request.forEachField { head.fields.append("\(String(copying: $0))=\(String(copying: $1))") }
    head.framing = framing
    return head
  }
  return nil
}

@Suite struct `HTTP/1.1 request head` {
  private static let sample =
    "POST /live?x=1 HTTP/1.1\r\nHost: example.org:8443\r\nUser-Agent:\t curl/8 \r\n"
    + "Content-Length: 5\r\nX-Empty:\r\nConnection: close\r\n\r\n"

  @Test func `cut at any byte comes out the same`() throws {
    let whole = try #require(try head(Self.sample))
    #expect(whole.method == "POST")
    #expect(whole.path == "/live")
    #expect(whole.authority == "example.org:8443")
    #expect(
      whole.fields == [
        "host=example.org:8443", "user-agent=curl/8", "content-length=5", "x-empty=",
        "connection=close",
      ])
    #expect(whole.framing.body == .length(5))
    #expect(!whole.framing.keepsAlive)
    for cut in 0..<Self.sample.utf8.count {
      #expect(try head(Self.sample, cuts: [cut]) == whole)
    }
    #expect(try head(Self.sample, cuts: Array(0..<Self.sample.utf8.count)) == whole)
  }

  @Test func `that has not ended is waited for`() throws {
    for cut in 0..<Self.sample.utf8.count {
      let part = String(decoding: Array(Self.sample.utf8)[..<cut], as: UTF8.self)
      #expect(try head(part) == nil)
    }
  }

  @Test(
    arguments: [
      (
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        .contentLengthAndTransferEncoding
      ),
      (
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        .severalContentLengths
      ),
      ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\n", .contentLength),
      ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n", .contentLength),
      ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\n", .contentLength),
      ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: \r\n\r\n", .contentLength),
      ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", .contentLength),
      ("GET / HTTP/1.1\nHost: h\n\n", .bareLineFeed),
      ("GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", .bareLineFeed),
      ("GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", .bareCarriageReturn),
      ("GET / HTTP/1.1\r\r\nHost: h\r\n\r\n", .bareCarriageReturn),
      ("GET / HTTP/1.1\r\nHost : h\r\n\r\n", .spaceBeforeColon),
      ("GET / HTTP/1.1\r\nHost: h\r\nX\t: y\r\n\r\n", .spaceBeforeColon),
      ("GET / HTTP/1.1\r\nHost: h\r\nX: y\r\n z\r\n\r\n", .obsoleteFolding),
      ("GET / HTTP/1.1\r\n Host: h\r\n\r\n", .obsoleteFolding),
      ("GET / HTTP/1.1\r\nHost: h\r\n: y\r\n\r\n", .fieldName),
      ("GET / HTTP/1.1\r\nHost: h\r\nX y\r\n\r\n", .spaceBeforeColon),
      ("GET / HTTP/1.1\r\nHost: h\r\nX(: y\r\n\r\n", .fieldName),
      ("GET / HTTP/1.1\r\nHost: h\r\nX: a\u{0}b\r\n\r\n", .fieldValue),
      ("GET / HTTP/1.1\r\nHost: h\r\nX: a\u{7f}\r\n\r\n", .fieldValue),
      ("GET / HTTP/1.1\r\n\r\n", .host),
      ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .host),
      ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .host),
      ("GET  / HTTP/1.1\r\nHost: h\r\n\r\n", .requestLine),
      ("GET /\r\nHost: h\r\n\r\n", .requestLine),
      (" GET / HTTP/1.1\r\nHost: h\r\n\r\n", .requestLine),
      ("G(T / HTTP/1.1\r\nHost: h\r\n\r\n", .method),
      ("GET / HTTP/1.1 \r\nHost: h\r\n\r\n", .version),
      ("GET / http/1.1\r\nHost: h\r\n\r\n", .version),
      ("GET / HTTP/11\r\nHost: h\r\n\r\n", .version),
      ("GET /../x HTTP/1.1\r\nHost: h\r\n\r\n", .pathTraversal),
      ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncoding),
      ("\r\n\r\n", .requestLine),
    ] as [(String, RequestError.Reason)]) func `that two readers could read differently is refused`(
      text: String, reason: RequestError.Reason
    )
  {
    #expect(throws: RequestError.malformed(reason)) { try head(text) }
  }

  @Test(arguments: [
    ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", RequestError.unsupportedVersion),
    ("GET / HTTP/1.2\r\nHost: h\r\n\r\n", .unsupportedVersion),
    ("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", .unsupported),
    (
      "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      .unsupported
    ),
    ("GET / HTTP/1.1\r\nHost: h\r\nExpect: miracles\r\n\r\n", .unsupported),
  ]) func `asking for what is not done is refused`(text: String, error: RequestError) {
    #expect(throws: error) { try head(text) }
  }

  @Test func `that is too large is refused before it ends`() {
    let long = "GET /" + String(repeating: "a", count: 9000)
    #expect(throws: RequestError.targetTooLong) { try head(long) }
    let wide = "GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 30_000)
    #expect(throws: RequestError.fieldsTooLarge) { try head(wide) }
    let many = "GET / HTTP/1.1\r\n" + String(repeating: "A:b\r\n", count: 200) + "\r\n"
    #expect(throws: RequestError.fieldsTooLarge) { try head(many) }
  }

  @Test(arguments: [
    ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", true), ("GET / HTTP/1.0\r\n\r\n", false),
    ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
    ("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n", false),
    ("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", true),
  ]) func `says whether the connection goes on`(text: String, keepsAlive: Bool) throws {
    #expect(try head(text)?.framing.keepsAlive == keepsAlive)
  }

  @Test func `in absolute form names the authority`() throws {
    let head = try head("GET http://a.example/x HTTP/1.1\r\nHost: b.example\r\n\r\n")
    #expect(head?.authority == "a.example")
    #expect(head?.path == "/x")
  }

  @Test func `may wait for a 100`() throws {
    let text = "PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n"
    #expect(try head(text)?.framing.expectsContinue == true)
  }
}

@Suite struct `HTTP/1.1 request body` {
  /// Decodes `text` given in pieces of `size`; returns the body and what follows it.
  private func decode(
    _ text: String, _ framing: BodyFraming, piece size: Int
  ) throws(RequestError) -> (body: String, used: Int, isDone: Bool) {
    let bytes = Array(text.utf8)
    var decoder = BodyDecoder(framing)
    var body: [UInt8] = []
    var used = 0
    var start = 0
    while start < bytes.count, !decoder.isDone {
      let part = Array(bytes[start..<min(bytes.count, start + size)])
      var offset = 0
      pieces: while true {
        switch try decoder.next(part.span, at: &offset) {
        case .data(let range): body += part[range]
        case .needsMore, .end: break pieces
        }
      }
      used = start + offset
      start += size
    }
    return (String(decoding: body, as: UTF8.self), used, decoder.isDone)
  }

  private static let chunked =
    "5\r\nhello\r\n1;name=\"v\"\r\n \r\n0A\r\nworld12345\r\n0\r\nTrailer: x\r\n\r\nGET /"

  @Test(arguments: 1...40) func `in chunks comes out the same in any cut`(size: Int) throws {
    let decoded = try decode(Self.chunked, .chunked, piece: size)
    #expect(decoded.body == "hello world12345")
    #expect(decoded.isDone)
    #expect(decoded.used == Self.chunked.utf8.count - 5)
  }

  @Test(arguments: 1...8) func `of known length stops at its end`(size: Int) throws {
    let decoded = try decode("helloGET /", .length(5), piece: size)
    #expect(decoded.body == "hello")
    #expect(decoded.used == 5)
  }

  @Test(arguments: [
    "x\r\n", "-1\r\n", "5\nhello", "5\r\nhelloX", "5\r\nhello\n", " 5\r\n", "5 \r\n", "\r\n",
    "1000000000000000\r\n", "0\r\n: x\r\n", "0\r\nA\u{0}\r\n", "0\r\n\rX", "5\r\rhello",
  ]) func `in bad chunks is refused`(text: String) {
    #expect(throws: RequestError.self) { try decode(text, .chunked, piece: .max >> 1) }
  }

  @Test func `with endless extensions or trailers is refused`() {
    let extensions = "5;" + String(repeating: "a", count: 10_000)
    let trailers = "0\r\n" + String(repeating: "a: b\r\n", count: 2000)
    for text in [extensions, trailers] {
      #expect(throws: RequestError.fieldsTooLarge) { try decode(text, .chunked, piece: 100) }
    }
  }
}

@Suite struct `HTTP/1.1 response head` {
  @Test func `ends its lines and cannot be split by a value`() {
    let block = HeaderBlock(
      status: 200, fields: [("Content-Type", "text/plain\r\nX-Evil: 1"), ("ETag", "\"a\"")])
    let common = HeaderBlock(status: 0, fields: [("date", "now")])
    var out: [UInt8] = []
    ResponseWriter.append(block, common, .init(chunked: true, keepsAlive: false), to: &out)
    #expect(
      String(decoding: out, as: UTF8.self)
        == "HTTP/1.1 200 OK\r\ncontent-type: text/plainX-Evil: 1\r\netag: \"a\"\r\ndate: now\r\n"
        + "transfer-encoding: chunked\r\nconnection: close\r\n\r\n")
  }

  @Test(arguments: [1, 15, 16, 255, 4096, 65_535, 1 << 20]) func `writes chunk sizes in hex`(
    count: Int
  ) {
    var out: [UInt8] = []
    ResponseWriter.appendChunkHead(count, to: &out)
    #expect(String(decoding: out, as: UTF8.self) == String(count, radix: 16) + "\r\n")
  }
}
