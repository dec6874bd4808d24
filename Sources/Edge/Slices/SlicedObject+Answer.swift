import Cache
import HTTPSemantics
import HTTPServer
import HTTPTypes

extension SlicedObject {
  /// Answers a request.
  ///
  /// - Parameters:
  ///   - order: by which it was asked for.
  ///   - outcome: what the cache did.
  ///   - slices: has its slices.
  ///   - cache: its name.
  ///   - now: seconds since 1970.
  /// - Returns: a response whose body comes slice after slice, or one without a body.
  func answer(
    _ order: EdgeFetch.Order, _ outcome: CacheOutcome, _ slices: EdgeSlices, of cache: String,
    at now: Int64
  ) -> Response {
    let age = freshness.age(at: now)
    var fields = EdgeFields.list(
      response.headerFields, age: age > 0 || outcome.isHit ? age : nil, outcome, of: cache)
    func stream(_ status: Int, _ length: Int, _ parts: [SliceSource.Part]) -> Response {
      .streamed(
        StreamedResponse(
          status: status, fields: fields, contentLength: length,
          source: SliceSource(self, parts, slices, for: order)))
    }
    switch part(for: order.request) {
    case .whole: return stream(200, total, [.range(0..<total)])
    case .part(let range):
      fields.append(("content-range", ContentRange(range, total: total).text))
      return stream(206, range.count, [.range(range)])
    case .parts(let ranges):
      let type = response.headerFields[.contentType] ?? "application/octet-stream"
      let boundary = String(UInt64.random(in: 1 << 60 ... .max), radix: 16)
      fields.removeAll { $0.name == "content-type" }
      fields.append(("content-type", "multipart/byteranges; boundary=\(boundary)"))
      let (parts, length) = multipart(ranges, type, boundary)
      return stream(206, length, parts)
    case .notModified:
      let kept = fields.filter { !["content-type", "content-encoding"].contains($0.name) }
      return .prepared(
        PreparedResponse(forwarding: 304, fields: kept, body: [], validators: Validators()))
    case .refused(412):
      return .error(
        412, code: "precondition_failed",
        message: "What the request asks for is not what the origin has.")
    case .refused(let status):
      return .prepared(
        .error(
          status, code: "range_not_satisfiable", message: "It has \(total) bytes.",
          fields: [("content-range", "bytes */\(total)")]))
    }
  }

  /// Several ranges as multipart/byteranges (RFC 9110, 14.6).
  private func multipart(
    _ ranges: [Range<Int>], _ type: String, _ boundary: String
  ) -> (parts: [SliceSource.Part], length: Int) {
    var parts: [SliceSource.Part] = []
    var length = 0
    for range in ranges {
      let head = Array(
        """
        \r\n--\(boundary)\r\ncontent-type: \(type)\r\n\
        content-range: \(ContentRange(range, total: total).text)\r\n\r\n
        """.utf8)
      parts += [.text(head), .range(range)]
      length += head.count + range.count
    }
    let tail = Array("\r\n--\(boundary)--\r\n".utf8)
    return (parts + [.text(tail)], length + tail.count)
  }
}

extension CacheOutcome {
  /// Whether the origin had no part in it.
  fileprivate var isHit: Bool {
    switch self {
    case .hit, .updating, .stale: true
    case .revalidated, .expired, .miss, .bypass, .method: false
    }
  }
}
