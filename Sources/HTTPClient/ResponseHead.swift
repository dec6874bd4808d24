import Bytes
import HTTPSemantics
import HTTPTypes

/// Collects the lines of a response's head as libcurl hands them over, one at a time.
struct ResponseHead {
  private var status: HTTPResponse.Status?
  private var fields = HTTPFields()
  /// The field that a folded line would go on with.
  private var last: (name: HTTPField.Name, value: [UInt8])?
  private var isComplete = false
  /// Whether the request may be answered with a 304.
  private let isConditional: Bool
  /// What is wrong with it, in our words; nothing is taken after that.
  private(set) var problem: String?

  /// Bounds the fields kept.
  static let mostFields = 256
  /// Bounds their lines together: with what a node adds it is still less than the 64 KiB that
  /// libnghttp2 sends as one head.
  static let mostBytes = 48 << 10
  private var bytes = 0

  init(isConditional: Bool) { self.isConditional = isConditional }

  /// Whether a status line was seen.
  var isBegun: Bool { status != nil }

  /// The response, once its head is whole; an interim one (1xx) is none.
  var response: HTTPResponse? {
    guard isComplete, problem == nil, let status, status.code >= 200 else { return nil }
    return HTTPResponse(status: status, headerFields: fields)
  }

  /// Takes a line with its line end: a status line, a field, or the empty line after them.
  ///
  /// An interim response (1xx) is forgotten when the next one begins; trailers are ignored. A line
  /// that could be read in several ways, or in none, is a `problem`: without it the response may
  /// say another thing, of who may keep it for one.
  ///
  /// - Note: Source: RFC 9112, 5.1 and 5.2: blanks before the colon are taken out, folded lines
  ///   joined.
  mutating func append(line: borrowing Span<UInt8>) {
    guard problem == nil else { return }
    var end = line.count
    while end > 0, line[end - 1] == 0x0a || line[end - 1] == 0x0d { end -= 1 }
    let line = line.extracting(first: end)
    bytes += end
    if bytes > Self.mostBytes, !isComplete {
      refuse("its head has more than \(Self.mostBytes) bytes")
    } else if status == nil || isComplete {
      // After a complete head that can only be the next response after an interim one.
      if line.count >= 5, line.extracting(first: 5).matches("HTTP/") { begin(line) }
    } else if end == 0 {
      keepLast()
      isComplete = true
      judge()
    } else if isBlank(line[0]) {
      goOn(line)
    } else {
      field(line)
    }
  }

  private mutating func begin(_ line: borrowing Span<UInt8>) {
    let text = String(copying: line)
    let parts = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
    let digits = parts.count > 1 ? Array(parts[1].utf8) : []
    guard digits.count == 3, let code = digits.span.decimal(in: 0..<3), (100...599).contains(code)
    else { return refuse("its status is none of HTTP") }
    status = HTTPResponse.Status(code: code, reasonPhrase: parts.count > 2 ? String(parts[2]) : "")
    fields = HTTPFields()
    last = nil
    bytes = line.count
    isComplete = false
  }

  private mutating func field(_ line: borrowing Span<UInt8>) {
    keepLast()
    var colon = 0
    while colon < line.count, line[colon] != 0x3a { colon += 1 }
    guard colon < line.count else { return refuse("a line of its head has no colon") }
    let name = line.extracting(line.trimmedRange(in: 0..<colon))
    guard let name = HTTPField.Name(String(copying: name)) else {
      return refuse("the name of a field has a character that has no place there")
    }
    guard fields.count < Self.mostFields else {
      return refuse("it has more than \(Self.mostFields) fields")
    }
    last = (name, [UInt8](copying: line.extracting(line.trimmedRange(in: colon + 1..<line.count))))
  }

  /// A folded line: what it says belongs to the field before it.
  private mutating func goOn(_ line: borrowing Span<UInt8>) {
    guard let last else { return refuse("its head begins with a blank") }
    var value = last.value
    let rest = line.trimmedRange(in: 0..<line.count)
    if !rest.isEmpty {
      if !value.isEmpty { value.append(0x20) }
      value.append(copying: line.extracting(rest))
    }
    self.last = (last.name, value)
  }

  private mutating func keepLast() {
    guard let (name, value) = last else { return }
    // Whoever sends it as a condition, or hands it on, makes the same bytes of it.
    let text = FieldText.text(value.span, isOpaque: name == .eTag)
    fields.append(HTTPField(name: name, value: text))
    last = nil
  }

  /// Looks at what the fields say together.
  private mutating func judge() {
    if status?.code == 304, !isConditional { return refuse("it is a 304 that nobody asked for") }
    // The same length may be said several times (RFC 9112, 6.3), in digits alone (RFC 9110, 8.6).
    let lengths = fields[values: .contentLength].flatMap {
      $0.split(separator: ",", omittingEmptySubsequences: false).map { text -> Int? in
        let bytes = Array(text.utf8)
        return bytes.span.decimal(in: bytes.span.trimmedRange(in: 0..<bytes.count))
      }
    }
    guard let first = lengths.first else { return }
    if first == nil || lengths.contains(where: { $0 != first }) {
      refuse("its length is no number, or several")
    }
  }

  private mutating func refuse(_ words: String) { problem = words }
}
