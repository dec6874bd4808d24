package import HTTPSemantics

/// A response made once and sent to any number of clients, from any loop: its fields are written
/// for HTTP/1.1 and HTTP/2, its body is shared.
public final class PreparedResponse: Sendable {
  /// One encoding of the body; a class, so that handing it on costs one reference and not five.
  final class Variant: Sendable {
    let head: HeaderBlock
    let notModified: HeaderBlock
    let body: [UInt8]
    let validators: Validators
    /// The fields without Content-Length, for 206 and 416.
    let fields: [(name: String, value: String)]

    init(
      head: HeaderBlock, notModified: HeaderBlock, body: [UInt8], validators: Validators,
      fields: [(name: String, value: String)]
    ) {
      self.head = head
      self.notModified = notModified
      self.body = body
      self.validators = validators
      self.fields = fields
    }
  }

  package let status: Int
  let identity: Variant
  let gzip: Variant?
  let allowsRanges: Bool

  /// Lets scripts of any site read a response (CORS).
  package static let anyOrigin = [
    (name: "access-control-allow-origin", value: "*"),
    (name: "access-control-expose-headers", value: "date, etag, content-range"),
  ]

  /// Prepares a response.
  ///
  /// - Parameters:
  ///   - status: 200 unless said otherwise; only a 200 with an entity tag or a date is conditional.
  ///   - fields: Content-Type, Cache-Control and so on; not Content-Length, ETag, Last-Modified,
  ///     Accept-Ranges, Vary, Content-Encoding, CORS, Date, Server, which are added here or at
  ///     sending.
  ///   - body: what is sent to clients without gzip, and cut into ranges.
  ///   - gzipped: the same compressed, sent whole to clients that accept it.
  ///   - entityTag: what stands between the quotes; visible ASCII without quotes.
  ///   - lastModified: the date of the last change, if known.
  ///   - allowsRanges: whether Range is honoured.
  ///   - allowsAnyOrigin: whether scripts of any site may read it (CORS).
  package init(
    status: Int = 200, fields: [(name: String, value: String)], body: [UInt8],
    gzipped: [UInt8]? = nil, entityTag: String? = nil, lastModified: HTTPDate? = nil,
    allowsRanges: Bool = true, allowsAnyOrigin: Bool = true
  ) {
    let ranges = allowsRanges && status == 200
    var common = fields
    if allowsAnyOrigin { common += Self.anyOrigin }
    if gzipped != nil { common.append(("vary", "accept-encoding")) }
    if ranges { common.append(("accept-ranges", "bytes")) }
    if let lastModified {
      common.append(("last-modified", String(decoding: lastModified.bytes, as: UTF8.self)))
    }
    self.status = status
    self.allowsRanges = ranges
    identity = Self.variant(
      status, common, body, entityTag.map { "\"\($0)\"" }, lastModified)
    gzip = gzipped.map {
      Self.variant(
        status, common + [("content-encoding", "gzip")], $0, entityTag.map { "\"\($0)-gz\"" },
        lastModified)
    }
  }

  /// Hands on a response that somebody else has made.
  ///
  /// - Parameters:
  ///   - status: of it.
  ///   - fields: all of them, but those of a connection and Content-Length; a Date among them takes
  ///     the place of the one that is added at sending.
  ///   - body: all of it.
  ///   - validators: by which conditions and ranges are seen to, where the status is 200.
  package init(
    forwarding status: Int, fields: [(name: String, value: String)], body: [UInt8],
    validators: Validators
  ) {
    self.status = status
    allowsRanges = status == 200
    gzip = nil
    let hasBody = status != 204 && status != 304
    let kept = fields.filter { field in
      !["content-type", "content-encoding", "content-language", "content-range"].contains(
        field.name.lowercased())
    }
    identity = Variant(
      head: HeaderBlock(
        status: status,
        fields: hasBody ? fields + [("content-length", "\(body.count)")] : fields),
      notModified: HeaderBlock(status: 304, fields: kept), body: hasBody ? body : [],
      validators: validators, fields: fields)
  }

  private static func variant(
    _ status: Int, _ common: [(name: String, value: String)], _ body: [UInt8], _ tag: String?,
    _ lastModified: HTTPDate?
  ) -> Variant {
    var fields = common
    if let tag { fields.append(("etag", tag)) }
    let hasBody = status != 204 && status != 304
    let head = HeaderBlock(
      status: status,
      fields: hasBody ? fields + [("content-length", "\(body.count)")] : fields)
    // RFC 9110 15.4.5: what a 200 would have said about caching, without the content's own.
    let kept = fields.filter { !["content-type", "content-encoding"].contains($0.name) }
    return Variant(
      head: head, notModified: HeaderBlock(status: 304, fields: kept),
      body: hasBody ? body : [],
      validators: Validators(entityTag: Array((tag ?? "").utf8), lastModified: lastModified),
      fields: fields)
  }

  /// A JSON error, `{"error":{"code":…,"message":…}}`, that any site's scripts may read.
  ///
  /// - Parameters:
  ///   - status: 400 and above.
  ///   - code: a stable word.
  ///   - message: for a person.
  ///   - fields: further ones.
  ///   - cacheControl: never cached unless said otherwise.
  /// - Returns: the response.
  package static func error(
    _ status: Int, code: String, message: String, fields: [(name: String, value: String)] = [],
    cacheControl: String = "no-store"
  ) -> PreparedResponse {
    PreparedResponse(
      status: status,
      fields: [("content-type", "application/json"), ("cache-control", cacheControl)] + fields,
      body: errorBody(code: code, message: message))
  }

  /// What an error's body says.
  static func errorBody(code: String, message: String) -> [UInt8] {
    var body: [UInt8] = Array("{\"error\":{\"code\":\"".utf8)
    appendJSON(code, to: &body)
    body += "\",\"message\":\"".utf8
    appendJSON(message, to: &body)
    body += "\"}}".utf8
    return body
  }

  /// The answer to a CORS preflight: any origin may GET with the fields that players send.
  package static func preflight(methods: String = "GET, HEAD, OPTIONS") -> PreparedResponse {
    PreparedResponse(
      status: 204,
      fields: [
        ("access-control-allow-methods", methods),
        ("access-control-allow-headers", "authorization, content-type, range, if-none-match"),
        ("access-control-max-age", "86400"),
      ], body: [])
  }

  private static func appendJSON(_ text: String, to out: inout [UInt8]) {
    let digits = Array("0123456789abcdef".utf8)
    for byte in text.utf8 {
      switch byte {
      case 0x22, 0x5c: out += [0x5c, byte]
      case 0..<0x20:
        out += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      default: out.append(byte)
      }
    }
  }
}
