import HTTPClient
import HTTPSemantics
import HTTPTypes
import Testing

@Suite struct `Response's head` {
  let server: ScriptedServer

  init() throws { server = try ScriptedServer.shared.get() }

  /// What a client makes of a response, byte for byte, with a body of five bytes behind it.
  private func response(
    _ head: [UInt8], _ fields: HTTPFields = HTTPFields()
  ) async throws -> HTTPResponse {
    let digits = Array("0123456789abcdef")
    let raw = head + Array("\r\n\r\nhello".utf8)
    let text = raw.map { "\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }.joined()
    let request = HTTPRequest(
      method: .get, scheme: "http", authority: server.authority, path: "/raw?\(text)",
      headerFields: fields)
    return try await HTTPClient().send(request, deadline: .seconds(60)).0
  }

  private func response(
    _ lines: String..., to fields: HTTPFields = HTTPFields()
  ) async throws -> HTTPResponse {
    try await response(Array(lines.joined(separator: "\r\n").utf8), fields)
  }

  /// Whether a client takes it for no response at all.
  private func isRefused(
    _ lines: String..., to fields: HTTPFields = HTTPFields(),
    at place: SourceLocation = #_sourceLocation
  ) async throws {
    do {
      let response = try await response(Array(lines.joined(separator: "\r\n").utf8), fields)
      Issue.record("\(response.status), \(response.headerFields)", sourceLocation: place)
    } catch let error as HTTPClientError {
      #expect(error.fault == .theirs, "\(error)", sourceLocation: place)
    }
  }

  @Test func `folded lines are one value, wherever they are folded`() async throws {
    let folded = try await response(
      "HTTP/1.1 200 OK", "Cache-Control: max-age=600,", " private", "\t , no-store \t", "  ",
      "Vary:", " accept", "Content-Length: 5")
    #expect(folded.headerFields[.cacheControl] == "max-age=600, private , no-store")
    #expect(folded.headerFields[.vary] == "accept")
    #expect(folded.headerFields[.contentLength] == "5")
    let last = try await response("HTTP/1.1 200 OK", "Cache-Control: a,", " b")
    #expect(last.headerFields[.cacheControl] == "a, b")
  }

  @Test(arguments: [" ", "\t", "  \t "])
  func `blanks before the colon and behind the value are none of it`(blank: String) async throws {
    let response = try await response(
      "HTTP/1.1 200 OK", "Cache-Control\(blank):\(blank)private\(blank)", "Content-Length: 5")
    #expect(response.headerFields.count == 2)
    #expect(response.headerFields[.cacheControl] == "private")
  }

  @Test(arguments: [" private", "private", "cache control: private", ": private", "a\u{b}: b"])
  func `a line that can't be read makes it none`(line: String) async throws {
    try await isRefused("HTTP/1.1 200 OK", line, "Cache-Control: max-age=600")
  }

  @Test func `bytes above ASCII stay what they are`() async throws {
    func tag(_ bytes: [UInt8]) async throws -> String? {
      let head = Array("HTTP/1.1 200 OK\r\nX-Name: Zoë\r\nContent-Length: 5\r\nETag: \"".utf8)
      let response = try await response(head + bytes + [0x22])
      #expect(response.headerFields[try #require(HTTPField.Name("X-Name"))] == "Zoë")
      return response.headerFields[.eTag]
    }
    var tags: Set<String> = []
    // The last two are the same text to Unicode.
    for bytes in [[0xe9], [0xe8], [0xc3], [0xc3, 0xa9], [0x65, 0xcc, 0x81]] as [[UInt8]] {
      let tag = try #require(try await tag(bytes))
      #expect(FieldText.bytes(tag) == [0x22] + bytes + [0x22])
      tags.insert(tag)
    }
    #expect(tags.count == 5)
  }

  @Test func `bytes above ASCII go out as they came`() async throws {
    let client = try HTTPClient()
    var request = HTTPRequest(
      method: .get, scheme: "http", authority: server.authority, path: "/echo")
    request.headerFields[.ifNoneMatch] = FieldText.text([0x22, 0xe9, 0x22].span)
    let (_, body) = try await client.send(request, deadline: .seconds(60))
    // The server reads ISO 8859-1.
    #expect(String(decoding: body, as: UTF8.self).contains(#"["if-none-match", "\"\u00e9\""]"#))
  }

  @Test func `a head up to a bound is whole, a larger one is none`() async throws {
    func client(_ count: Int, _ size: Int) async throws -> HTTPResponse {
      let request = HTTPRequest(
        method: .get, scheme: "http", authority: server.authority,
        path: "/head?\(count),\(size)")
      return try await HTTPClient().send(request, deadline: .seconds(60)).0
    }
    for (count, size) in [(1, 48_000), (40, 1_000), (254, 10)] {
      let response = try await client(count, size)
      #expect(response.headerFields.count { $0.value.utf8.count == size } == count)
    }
    for (count, size) in [(1, 50_000), (1, 90_000), (50, 1_000), (50, 5_000), (257, 10)] {
      await #expect(throws: HTTPClientError.self) { _ = try await client(count, size) }
    }
  }

  @Test(
    arguments: ["5 6", "+5", "-5", "5, 6", "5,", "0x5", "5;", "\u{ff15}", "99999999999999999999"])
  func `a length that is no number makes it none`(length: String) async throws {
    try await isRefused("HTTP/1.1 200 OK", "Content-Length: \(length)")
    try await isRefused("HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: \(length)")
  }

  @Test func `a length may be said several times`() async throws {
    let response = try await response(
      "HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length:  5 , 05")
    #expect(response.status == .ok)
  }

  @Test(arguments: ["600", "999", "099", "1000", "+200", "20", "2x0", "-20"])
  func `a status that is none of HTTP makes it none`(status: String) async throws {
    try await isRefused("HTTP/1.1 \(status) OK", "Content-Length: 5")
  }

  @Test func `a 304 is an answer to those alone who asked for it`() async throws {
    try await isRefused("HTTP/1.1 304 Not Modified", "ETag: \"x\"")
    try await isRefused("HTTP/1.1 304 Not Modified", "ETag: \"x\"", to: [.range: "bytes=0-4"])
    let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    for asked in [[.ifNoneMatch: "\"x\""], [.ifModifiedSince: date]] as [HTTPFields] {
      let response = try await response(
        "HTTP/1.1 304 Not Modified", "ETag: \"x\"", to: asked)
      #expect(response.status == .notModified)
    }
  }
}
