import HTTPTypes

/// Collects the lines of a response's head as libcurl hands them over, one at a time.
struct ResponseHead {
  private var status: HTTPResponse.Status?
  private(set) var fields = HTTPFields()
  private var isComplete = false

  /// Whether a status line was seen.
  var isBegun: Bool { status != nil }

  /// The response, once its head is whole; an interim one (1xx) is none.
  var response: HTTPResponse? {
    guard isComplete, let status, status.code >= 200 else { return nil }
    return HTTPResponse(status: status, headerFields: fields)
  }

  /// Takes a line with its line end: a status line, a field, or the empty line after them.
  ///
  /// An interim response (1xx) is forgotten when the next one begins; trailers are ignored.
  mutating func append(line: String) {
    let line = line.trimmingLineEnd()
    if line.utf8.starts(with: "HTTP/".utf8) {
      // A status line after a complete head can only be the next response after an interim one.
      let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
      guard parts.count >= 2, let code = Int(parts[1]), (100...999).contains(code) else { return }
      status = HTTPResponse.Status(
        code: code, reasonPhrase: parts.count > 2 ? String(parts[2]) : "")
      fields = HTTPFields()
      isComplete = false
    } else if line.isEmpty {
      isComplete = true
    } else if !isComplete, let colon = line.firstIndex(of: ":"),
      let name = HTTPField.Name(String(line[..<colon]))
    {
      let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
      fields.append(HTTPField(name: name, value: String(value)))
    }
  }
}

extension String {
  /// Without CR and LF at the end; the two are one `Character`, so this looks at scalars.
  fileprivate func trimmingLineEnd() -> String {
    var view = unicodeScalars[...]
    while let last = view.last, last == "\r" || last == "\n" { view.removeLast() }
    return String(view)
  }
}
