package import HTTPTypes

/// What all slices of an object have in common: they are parts of the same bytes.
package struct SliceReference: Equatable, Sendable {
  package let total: Int
  package let entityTag: String?
  package let lastModified: String?

  package init(total: Int, entityTag: String?, lastModified: String?) {
    self.total = total
    self.entityTag = entityTag
    self.lastModified = lastModified
  }

  /// What an answer is to a request for a slice.
  package enum Answer: Equatable, Sendable {
    /// The slice that was asked for.
    case slice(SliceReference, ContentRange)
    /// The whole, as the origin doesn't know ranges.
    case whole
    /// There is no such slice: the object is that long.
    case outside(total: Int?)
    /// Another status, to be handed on as it is.
    case other
    /// An answer that can't be trusted; why.
    case broken(String)
  }

  /// Reads an answer.
  ///
  /// - Parameters:
  ///   - response: the head.
  ///   - number: of the slice that was asked for.
  ///   - slices: that it is one of.
  /// - Returns: what it is.
  package static func read(
    _ response: HTTPResponse, number: Int, of slices: Slices
  ) -> Answer {
    let fields = response.headerFields
    switch response.status.code {
    case 206:
      let values = fields[values: .contentRange]
      guard values.count == 1, let said = ContentRange(values[0]) else {
        return .broken("a 206 without a Content-Range that names bytes and a length")
      }
      let wanted = slices.range(of: number, total: said.total)
      guard said.range == wanted else {
        return .broken("asked for bytes \(wanted), got \(values[0])")
      }
      if let length = fields[.contentLength], Int(length) != said.range.count {
        return .broken("Content-Length is \(length) for \(values[0])")
      }
      // A weak tag doesn't say that bytes are the same.
      let tag = fields[.eTag].flatMap { $0.hasPrefix("W/") ? nil : $0 }
      return .slice(
        SliceReference(
          total: said.total, entityTag: tag, lastModified: fields[.lastModified]), said)
    case 200: return .whole
    case 416:
      let total = fields[.contentRange].flatMap { text in
        text.lowercased().hasPrefix("bytes */") ? Int(text.dropFirst(8).trimmingBlanks()) : nil
      }
      return .outside(total: total)
    default: return .other
    }
  }

  /// Whether another slice is of the same bytes.
  ///
  /// - Parameter other: of that slice.
  /// - Returns: whether length and tag, or length and date where there is no tag, are the same.
  package func matches(_ other: SliceReference) -> Bool {
    guard total == other.total else { return false }
    if entityTag != nil || other.entityTag != nil { return entityTag == other.entityTag }
    return lastModified == other.lastModified
  }
}
