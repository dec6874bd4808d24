package import HTTPTypes

/// Asking the origin whether a stored response is still true (RFC 9111, 4.3).
package enum Validation {
  /// The fields that ask.
  ///
  /// - Parameter stored: the fields of what is stored.
  /// - Returns: none where the response has nothing to ask with.
  package static func conditions(for stored: HTTPFields) -> HTTPFields {
    var fields = HTTPFields()
    if let tag = stored[.eTag] { fields[.ifNoneMatch] = tag }
    if let date = stored[.lastModified], stored.date(.lastModified) != nil {
      fields[.ifModifiedSince] = date
    }
    return fields
  }

  /// Whether a 304 is about what is stored: its validator, where it has one, is the same (4.3.4).
  package static func confirms(_ answer: HTTPFields, _ stored: HTTPFields) -> Bool {
    guard let tag = answer[.eTag] else { return true }
    guard let own = stored[.eTag] else { return true }
    return weak(tag) == weak(own)
  }

  private static func weak(_ tag: String) -> Substring {
    tag.hasPrefix("W/") ? tag.dropFirst(2) : tag[...]
  }

  /// The stored fields with those of a 304 in the place of theirs (3.2).
  ///
  /// What describes the stored bytes themselves stays.
  package static func updated(_ stored: HTTPFields, by answer: HTTPFields) -> HTTPFields {
    let answer = answer.withoutConnectionFields
    var replaced = Set(answer.map(\.name))
    replaced.subtract([.contentLength, .contentEncoding, .contentRange, .contentType])
    // An age is of the answer that says it.
    replaced.insert(.age)
    var fields = HTTPFields()
    for field in stored where !replaced.contains(field.name) { fields.append(field) }
    for field in answer where replaced.contains(field.name) { fields.append(field) }
    return fields
  }
}
