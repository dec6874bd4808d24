import Bytes

extension Request {
  /// Lends a part of the arena.
  @inlinable @inline(__always) func withSlice<R>(
    _ slice: Slice, _ body: (borrowing Span<UInt8>) throws -> R
  ) rethrows
    -> R
  {
    let span = unsafe Span(_unsafeStart: arena + Int(slice.offset), count: Int(slice.count))
    return try body(span)
  }

  /// Copies a part of the arena; bytes that are not UTF-8 become replacement characters.
  func text(_ slice: Slice) -> String {
    unsafe String(
      decoding: UnsafeBufferPointer(start: arena + Int(slice.offset), count: Int(slice.count)),
      as: UTF8.self)
  }

  /// Lends the decoded path; it starts with `/` (or is `*`), and has no `.` or `..` segment.
  @inlinable @inline(__always) package func withPath<R>(_ body: (borrowing Span<UInt8>) throws -> R)
    rethrows -> R
  {
    try withSlice(pathSlice, body)
  }

  /// A copy of the decoded path.
  package var path: String { text(pathSlice) }

  /// A copy of the path and query as they were sent.
  package var target: String { text(targetSlice) }

  /// A copy of the method as it was sent.
  package var methodName: String { text(methodSlice) }

  /// A copy of `host[:port]`; empty where the client sent none.
  package var authority: String { text(authoritySlice) }

  /// Lends the path and query as they were sent.
  package func withTarget<R>(_ body: (borrowing Span<UInt8>) throws -> R) rethrows -> R {
    try withSlice(targetSlice, body)
  }

  /// Lends `host[:port]` as it was sent; empty where the client sent none.
  package func withAuthority<R>(_ body: (borrowing Span<UInt8>) throws -> R) rethrows -> R {
    try withSlice(authoritySlice, body)
  }

  /// Whether these bytes name the authority, in any case of their letters.
  package func isAuthority(_ other: borrowing Span<UInt8>) -> Bool {
    guard other.count == Int(authoritySlice.count) else { return false }
    for index in other.indices {
      let own = unsafe arena[Int(authoritySlice.offset) + index]
      if asciiLowercase(own) != asciiLowercase(other[index]) { return false }
    }
    return true
  }

  /// Whether a `?` with something after it followed the path.
  package var hasQuery: Bool { querySlice.count > 0 }

  /// Lends the query, as sent, without the `?`.
  @inlinable @inline(__always) package func withQuery<R>(
    _ body: (borrowing Span<UInt8>) throws -> R
  ) rethrows -> R {
    try withSlice(querySlice, body)
  }

  /// Whether the path is exactly `text`.
  package func pathIs(_ text: StaticString) -> Bool { withPath { $0.matches(text) } }

  /// Whether the path starts with `text`.
  package func pathStarts(with text: StaticString) -> Bool {
    withPath {
      $0.count >= text.utf8CodeUnitCount
        && $0.extracting(first: text.utf8CodeUnitCount).matches(text)
    }
  }

  /// The value of the first `name=value` in the query, decoded (`+` is a space); `nil` without one.
  package func queryValue(_ name: StaticString) -> String? {
    withQuery { query in
      guard let range = Request.valueRange(of: name, in: query) else { return nil }
      return percentDecoded(query.extracting(range))
    }
  }

  /// The value of the first `name=value` in the query as a number; `nil` without one or when it is
  /// no number that fits.
  package func queryInteger(_ name: StaticString) -> Int? {
    withQuery { query in
      guard let range = Request.valueRange(of: name, in: query) else { return nil }
      return query.decimal(in: range)
    }
  }

  private static func valueRange(
    of name: StaticString, in query: borrowing Span<UInt8>
  ) -> Range<Int>? {
    let length = name.utf8CodeUnitCount
    var start = 0
    while start < query.count {
      var end = start
      while end < query.count, query[end] != 0x26 { end += 1 }
      if end - start >= length, query.extracting(start..<start + length).matches(name) {
        if end - start == length { return end..<end }
        if query[start + length] == 0x3d { return (start + length + 1)..<end }
      }
      start = end + 1
    }
    return nil
  }

  /// Whether the field was sent.
  package func has(_ name: FieldName) -> Bool {
    present & (1 << UInt32(name.rawValue)) != 0
  }

  /// Whether a field was sent that asks for less than the whole: a precondition or a range.
  package var isConditional: Bool { present & Request.conditional != 0 }

  private static let conditional: UInt32 = [
    FieldName.ifMatch, .ifNoneMatch, .ifModifiedSince, .ifUnmodifiedSince, .ifRange, .range,
  ].reduce(0) { $0 | 1 << UInt32($1.rawValue) }

  /// The index + 1 of the first field of a known name, 0 without one.
  private func firstIndex(_ name: FieldName) -> UInt8 {
    has(name) ? unsafe first[Int(name.rawValue)] : 0
  }

  /// How many fields of that name were sent.
  package func count(of name: FieldName) -> Int {
    var count = 0
    var at = firstIndex(name)
    while at != 0 {
      count += 1
      at = unsafe fields[Int(at) - 1].next
    }
    return count
  }

  /// Lends the value of the first field of that name; `nil` without one.
  package func withValue<R>(
    _ name: FieldName, _ body: (borrowing Span<UInt8>) throws -> R
  ) rethrows -> R? {
    let at = firstIndex(name)
    guard at != 0 else { return nil }
    return try withSlice(unsafe fields[Int(at) - 1].value, body)
  }

  /// Lends the value of every field of that name in turn, while `body` returns `true`.
  package func forEachValue(
    _ name: FieldName, _ body: (borrowing Span<UInt8>) throws -> Bool
  ) rethrows {
    var at = firstIndex(name)
    while at != 0 {
      guard try withSlice(unsafe fields[Int(at) - 1].value, body) else { return }
      at = unsafe fields[Int(at) - 1].next
    }
  }

  /// A copy of the first value of that name.
  package func string(_ name: FieldName) -> String? {
    withValue(name) { String(copying: $0) }
  }

  /// Lends every field's name and value in the order they came.
  package func forEachField(
    _ body: (borrowing Span<UInt8>, borrowing Span<UInt8>) throws -> Void
  ) rethrows {
    for index in 0..<fieldCount {
      let field = unsafe fields[index]
      try withSlice(field.name) { name in
        try withSlice(field.value) { value in try body(name, value) }
      }
    }
  }

  /// The value of one cookie, as sent; `nil` without it.
  package func cookie(_ name: StaticString) -> String? {
    var found: String?
    let length = name.utf8CodeUnitCount
    forEachValue(.cookie) { value in
      var start = 0
      while start < value.count {
        var end = start
        while end < value.count, value[end] != 0x3b { end += 1 }
        let pair = value.trimmedRange(in: start..<end)
        if pair.count > length, value[pair.lowerBound + length] == 0x3d,
          value.extracting(pair.lowerBound..<pair.lowerBound + length).matches(name)
        {
          found = String(copying: value.extracting(pair.lowerBound + length + 1..<pair.upperBound))
          return false
        }
        start = end + 1
      }
      return true
    }
    return found
  }

  /// The credentials after `Authorization: Bearer`; `nil` without them.
  package var bearerToken: String? {
    withValue(.authorization) { value in
      guard value.count > 7, value.extracting(first: 7).matchesIgnoringCase("bearer ") else {
        return nil
      }
      return String(copying: value.extracting(value.trimmedRange(in: 7..<value.count)))
    } ?? nil
  }

  /// Whether a gzip body may be sent: `gzip`, `x-gzip` or `*` with a weight that is not 0.
  package var acceptsGzip: Bool {
    var accepts = false
    var refused = false
    forEachValue(.acceptEncoding) { value in
      forEachListElement(value) { element in
        var end = element.lowerBound
        while end < element.upperBound, value[end] != 0x3b { end += 1 }
        let coding = value.extracting(value.trimmedRange(in: element.lowerBound..<end))
        let named = coding.matchesIgnoringCase("gzip") || coding.matchesIgnoringCase("x-gzip")
        guard named || coding.matches("*") else { return }
        let zero = isZeroWeight(value.extracting(end..<element.upperBound))
        if named, zero { refused = true }
        if !zero { accepts = true }
      }
      return true
    }
    return accepts && !refused
  }
}

/// Whether `;q=0`, `;q=0.0` … stands in the parameters.
private func isZeroWeight(_ parameters: borrowing Span<UInt8>) -> Bool {
  var index = 0
  while index < parameters.count, parameters[index] != 0x3d { index += 1 }
  guard index < parameters.count else { return false }
  for at in index + 1..<parameters.count where parameters[at] &- 0x31 < 9 { return false }
  return true
}

/// Calls `body` with the range of every element of a comma-separated list (RFC 9110, 5.6.1).
package func forEachListElement(
  _ value: borrowing Span<UInt8>, _ body: (Range<Int>) -> Void
) {
  var start = 0
  while start <= value.count {
    var end = start
    var quoted = false
    while end < value.count, quoted || value[end] != 0x2c {
      if value[end] == 0x22 { quoted.toggle() }
      end += 1
    }
    let element = value.trimmedRange(in: start..<end)
    if !element.isEmpty { body(element) }
    start = end + 1
  }
}

extension String {
  /// Copies bytes; those that are not UTF-8 become replacement characters.
  package init(copying bytes: borrowing Span<UInt8>) {
    self = unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }
}

/// Decodes `%XX` and `+`; a bad escape stands for itself.
package func percentDecoded(_ bytes: borrowing Span<UInt8>) -> String {
  var out: [UInt8] = []
  out.reserveCapacity(bytes.count)
  var index = 0
  while index < bytes.count {
    let byte = bytes[index]
    if byte == 0x25, bytes.count - index > 2, let high = hexadecimalValue(bytes[index + 1]),
      let low = hexadecimalValue(bytes[index + 2])
    {
      out.append(high << 4 | low)
      index += 3
    } else {
      out.append(byte == 0x2b ? 0x20 : byte)
      index += 1
    }
  }
  return String(decoding: out, as: UTF8.self)
}
