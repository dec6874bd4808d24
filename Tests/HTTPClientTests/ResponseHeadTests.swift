import HTTPClient
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
}
