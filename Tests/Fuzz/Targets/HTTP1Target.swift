import HLS
import HTTP1
import HTTPSemantics

/// Reads a connection's bytes as the server does, and notes what it saw.
private struct Exchange: ~Copyable {
  let limits: RequestLimits
  var seen: [String] = []
  var isOver = false
  /// What a request broke, found by looking at it.
  var finding: Finding?
  private var request: Request
  private var scanner = HeadScanner()
  private var decoder: BodyDecoder?
  private var scanned = 0
  private(set) var held: [UInt8] = []
  private var body: [UInt8] = []

  init(_ limits: RequestLimits) {
    self.limits = limits
    request = Request(limits: limits)
  }

  /// Whether what is held is a part of a head.
  var isInsideHead: Bool { decoder == nil }

  mutating func receive(_ bytes: ArraySlice<UInt8>) {
    held += bytes
    var offset = 0
    do throws(RequestError) {
      while !isOver { if try !step(&offset) { break } }
    } catch {
      isOver = true
      seen.append("refused")
      if !(400...505).contains(error.status) { finding = Finding("status \(error.status)") }
    }
    held.removeFirst(offset)
  }

  /// Reads one head, or one piece of a body; false: more bytes are needed.
  private mutating func step(_ offset: inout Int) throws(RequestError) -> Bool {
    let bytes = held
    if var running = decoder {
      let piece = try running.next(bytes.span, at: &offset)
      decoder = running
      switch piece {
      case .needsMore: return false
      case .data(let range):
        body += bytes[range]
        if range.isEmpty || range.upperBound != offset { finding = Finding("body at \(range)") }
      case .end:
        seen.append("body of \(body.count) bytes, \(digest(body))")
        body = []
        decoder = nil
      }
      return true
    }
    guard offset < bytes.count else { return false }
    let rest = bytes.span.extracting(droppingFirst: offset)
    guard let end = try scanner.scan(rest, from: scanned, limits: limits) else {
      scanned = rest.count
      return false
    }
    scanned = 0
    offset += end
    let framing = try HeadParser.parse(rest.extracting(first: end), into: &request)
    seen.append("\(request.methodName) \(request.target) \(request.authority) \(framing)")
    request.forEachField { name, value in
      seen.append("\(String(copying: name)): \(String(copying: value))")
    }
    do throws(Finding) { try inspect(request) } catch { finding = error }
    isOver = !framing.keepsAlive
    decoder = BodyDecoder(framing.body)
    return true
  }
}

/// However the bytes are cut, the requests are the same; none means two things.
func fuzzHTTP1(_ input: [UInt8]) throws(Finding) {
  var limits = RequestLimits()
  limits.targetBytes = 512
  limits.fieldBytes = 1024
  limits.fields = 24
  var whole = Exchange(limits)
  whole.receive(input[...])
  if let finding = whole.finding { throw finding }
  var cut = Exchange(limits)
  var pieces = Pieces(for: input)
  for piece in pieces.ranges(of: input.count) where !cut.isOver {
    cut.receive(input[piece])
    if let finding = cut.finding { throw finding }
    let most = cut.isInsideHead ? limits.targetBytes + 64 + limits.fieldBytes : 0
    try check(cut.isOver || cut.held.count <= most, "holds \(cut.held.count) bytes")
  }
  try check(whole.seen == cut.seen, "requests differ when cut in pieces")
}

/// Asks of a request what handlers ask.
private func inspect(_ request: borrowing Request) throws(Finding) {
  try inspectPath(request.path, of: request.method)
  let validators = Validators(entityTag: Array("\"v1\"".utf8), lastModified: HTTPDate(seconds: 1))
  _ = validators.evaluate(request)
  try checkRange(validators.range(request, length: 1000), length: 1000)
  _ = request.queryInteger("_HLS_msn")
  let token = request.queryValue("token")
  try check((token?.utf8.count ?? 0) <= 3 * request.target.utf8.count, "a query value grew")
  _ = request.cookie("token")
  _ = request.bearerToken
  _ = request.acceptsGzip
  request.withQuery { _ = ReloadRequest.parse(query: $0) }
}

/// A path starts at the root, climbs nowhere, and hides nothing.
func inspectPath(_ path: String, of method: Method) throws(Finding) {
  if path == "*" { return try check(method == .options, "a target of * that is not OPTIONS") }
  try check(path.utf8.first == 0x2f, "a path that does not start with /")
  for segment in path.utf8.split(separator: 0x2f) {
    try check(!segment.elementsEqual(".".utf8), "a segment .")
    try check(!segment.elementsEqual("..".utf8), "a segment ..")
  }
  try check(!path.utf8.contains { $0 < 0x20 || $0 == 0x7f || $0 == 0x5c }, "a byte in a path")
  // Not \u{FFFD}: bytes that are no UTF-8 stand for it in a copy.
  try check(!path.contains("//"), "an empty segment")
}

/// Ranges lie inside the representation and together are no more than it.
func checkRange(_ range: RangeRequest, length: Int) throws(Finding) {
  switch range {
  case .whole, .unsatisfiable: break
  case .single(let range):
    try check(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= length, "\(range)")
  case .several(let ranges):
    try check(ranges.count > 1 && ranges.count <= RangeRequest.mostRanges, "\(ranges.count) ranges")
    for range in ranges { try checkRange(.single(range), length: length) }
    try check(ranges.reduce(0) { $0 + $1.count } <= length, "ranges of more than there is")
  }
}
