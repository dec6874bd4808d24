package import HTTPSemantics
package import HTTPServer
package import Storage

/// A file that is sent piece by piece from where it is: preconditions and ranges are seen to.
package struct KeptFileResponse: Sendable {
  let file: KeptFile
  /// All but its validators and its length.
  let fields: [(name: String, value: String)]
  /// Without quotes; the file never has other bytes.
  let entityTag: String
  let reader: KeptFileReader

  package init(
    file: KeptFile, fields: [(name: String, value: String)], entityTag: String,
    reader: KeptFileReader
  ) {
    self.file = file
    self.fields = fields
    self.entityTag = entityTag
    self.reader = reader
  }

  /// Answers a request for it.
  package func answer(_ request: borrowing Request) -> Response {
    let tag = "\"\(entityTag)\""
    let validators = Validators(entityTag: Array(tag.utf8))
    let fields = fields + [("etag", tag), ("accept-ranges", "bytes")]
    switch validators.evaluate(request) {
    case .failed: return .error(412, code: "changed", message: "The file is another one by now.")
    case .notModified:
      return .prepared(
        PreparedResponse(status: 304, fields: fields.map { ($0.name, $0.value) }, body: []))
    case .proceed: break
    }
    switch validators.range(request, length: file.bytes) {
    case .unsatisfiable:
      return .prepared(
        .error(
          416, code: "no_such_range", message: "The file has \(file.bytes) bytes.",
          fields: [("content-range", "bytes */\(file.bytes)")]))
    case .single(let range):
      let value = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(file.bytes)"
      return stream(206, fields + [("content-range", value)], range)
    // Several ranges may be answered with the whole.
    case .whole, .several: return stream(200, fields, 0..<file.bytes)
    }
  }

  /// The whole file.
  func whole() -> Response {
    stream(
      200, fields + [("etag", "\"\(entityTag)\""), ("accept-ranges", "bytes")], 0..<file.bytes)
  }

  private func stream(
    _ status: Int, _ fields: [(name: String, value: String)], _ range: Range<Int>
  ) -> Response {
    .streamed(
      StreamedResponse(
        status: status, fields: fields, contentLength: range.count,
        source: KeptFileBody(file, range, reader: reader)))
  }
}
