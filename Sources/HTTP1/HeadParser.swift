package import HTTPSemantics

/// How the body of a request is framed (RFC 9112, 6.3).
package enum BodyFraming: Equatable, Sendable {
  case none
  case length(Int)
  case chunked
}

/// What HTTP/1.1 says about a request besides the request itself.
package struct RequestFraming: Equatable, Sendable {
  package var body = BodyFraming.none
  /// Whether the connection goes on after the response.
  package var keepsAlive = true
  /// Whether the client waits for a 100 before it sends the body.
  package var expectsContinue = false

  package init() {}
}

/// Reads a whole request head, strictly.
package enum HeadParser {
  /// Reads the head into `request`, which is reset first.
  ///
  /// - Parameters:
  ///   - bytes: from the request line to the empty line, as `HeadScanner` found it.
  ///   - request: what to fill.
  /// - Returns: how the body follows, and whether the connection goes on.
  /// - Throws: `RequestError`; the connection can't be read on after it.
  /// - Note: Source: RFC 9112, 3 to 6.
  package static func parse(
    _ bytes: borrowing Span<UInt8>, into request: inout Request
  ) throws(RequestError) -> RequestFraming {
    request.reset()
    var index = 0
    while index + 1 < bytes.count, bytes[index] == 0x0d { index += 2 }
    let minor = try requestLine(bytes, &index, &request)
    while index < bytes.count, bytes[index] != 0x0d {
      try field(bytes, &index, &request)
    }
    return try framing(&request, minor)
  }

  /// Reads `METHOD target HTTP/1.x CRLF` with single spaces; returns x.
  private static func requestLine(
    _ bytes: borrowing Span<UInt8>, _ index: inout Int, _ request: inout Request
  ) throws(RequestError) -> Int {
    let start = index
    while index < bytes.count, bytes[index] != 0x20, bytes[index] != 0x0d { index += 1 }
    guard index > start, index < bytes.count, bytes[index] == 0x20 else {
      throw .malformed(.requestLine)
    }
    try request.set(method: bytes.extracting(start..<index))
    index += 1
    let target = index
    while index < bytes.count, bytes[index] != 0x20, bytes[index] != 0x0d { index += 1 }
    guard index > target, index < bytes.count, bytes[index] == 0x20 else {
      throw .malformed(.requestLine)
    }
    let end = index
    index += 1
    guard bytes.count - index >= 10, bytes[index + 8] == 0x0d else {
      throw .malformed(.version)
    }
    let version = bytes.extracting(index..<index + 8)
    guard version.extracting(first: 5).matches("HTTP/"), version[6] == 0x2e,
      version[5] &- 0x30 < 10, version[7] &- 0x30 < 10
    else { throw .malformed(.version) }
    guard version[5] == 0x31, version[7] < 0x32 else { throw .unsupportedVersion }
    index += 10
    try request.set(target: bytes.extracting(target..<end))
    let minor = Int(version[7] - 0x30)
    request.set(version: minor)
    return minor
  }

  private static func field(
    _ bytes: borrowing Span<UInt8>, _ index: inout Int, _ request: inout Request
  ) throws(RequestError) {
    let start = index
    if isBlank(bytes[start]) { throw .malformed(.obsoleteFolding) }
    // The name goes through a buffer of the stack in lower case; longer ones nobody sends.
    var name = InlineArray<128, UInt8>(repeating: 0)
    while index < bytes.count, isTokenByte(bytes[index]), index - start < 128 {
      name[index - start] = asciiLowercase(bytes[index])
      index += 1
    }
    let nameCount = index - start
    guard index < bytes.count, bytes[index] == 0x3a, nameCount > 0 else {
      if index < bytes.count, isBlank(bytes[index]) { throw .malformed(.spaceBeforeColon) }
      throw .malformed(.fieldName)
    }
    index += 1
    let valueStart = index
    while index < bytes.count, isFieldByte(bytes[index]) { index += 1 }
    guard index + 1 < bytes.count, bytes[index] == 0x0d, bytes[index + 1] == 0x0a else {
      throw .malformed(.fieldValue)
    }
    let value = bytes.trimmedRange(in: valueStart..<index)
    index += 2
    let key = name.span.extracting(first: nameCount)
    if key.matches("host") {
      guard !request.has(.host) else { throw .malformed(.host) }
      // Not into the request's own list twice: it is both a field and the authority.
      try request.set(authority: bytes.extracting(value))
    }
    try request.add(name: key, value: bytes.extracting(value))
  }

  private static func framing(
    _ request: inout Request, _ minor: Int
  ) throws(RequestError) -> RequestFraming {
    var framing = RequestFraming()
    if minor == 1, !request.has(.host) { throw .malformed(.host) }
    let coded = request.has(.transferEncoding)
    let lengths = request.count(of: .contentLength)
    if coded, lengths > 0 { throw .malformed(.contentLengthAndTransferEncoding) }
    if lengths > 1 { throw .malformed(.severalContentLengths) }
    if coded {
      // A transfer coding in an HTTP/1.0 message is faulty framing (RFC 9112, 6.1).
      guard minor == 1 else { throw .malformed(.transferEncoding) }
      guard request.count(of: .transferEncoding) == 1,
        request.withValue(.transferEncoding, { $0.matchesIgnoringCase("chunked") }) == true
      else { throw .unsupported }
      framing.body = .chunked
    } else if lengths == 1 {
      let length = request.withValue(.contentLength) { $0.decimal(in: 0..<$0.count) } ?? nil
      guard let length else { throw .malformed(.contentLength) }
      framing.body = length == 0 ? .none : .length(length)
    }
    var closes = false
    var keeps = false
    request.forEachValue(.connection) { value in
      forEachListElement(value) { element in
        let option = value.extracting(element)
        if option.matchesIgnoringCase("close") { closes = true }
        if option.matchesIgnoringCase("keep-alive") { keeps = true }
      }
      return true
    }
    framing.keepsAlive = !closes && (minor == 1 || keeps)
    if request.has(.expect), minor == 1 {
      guard request.withValue(.expect, { $0.matchesIgnoringCase("100-continue") }) == true else {
        throw .unsupported
      }
      framing.expectsContinue = framing.body != .none
    }
    return framing
  }
}
