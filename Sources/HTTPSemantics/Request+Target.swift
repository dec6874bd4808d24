extension Request {
  /// Sets the request target: origin-form, absolute-form, or `*` for OPTIONS.
  ///
  /// The path is kept as sent (`target`) and decoded (`path`). A path that could mean two things
  /// to two readers is refused rather than repaired: `.` and `..` segments in any spelling, an
  /// escaped slash, a backslash, a control byte, a bad escape. Runs of slashes become one.
  ///
  /// - Throws: `.targetTooLong`, or `.malformed` with `target`, `pathEscape`, `pathTraversal`
  ///   or `host`.
  package mutating func set(target: borrowing Span<UInt8>) throws(RequestError) {
    guard target.count <= limits.targetBytes else { throw .targetTooLong }
    guard !target.isEmpty else { throw .malformed(.target) }
    var start = 0
    if target[0] != 0x2f {
      if method == .options, target.matches("*") {
        start = 0
      } else {
        start = try absoluteForm(target)
      }
    }
    // An absolute-form target with no path means "/".
    if start == target.count || target[start] == 0x3f {
      try setRoot(query: target.extracting(droppingFirst: start))
      hasPath = true
      return
    }
    guard let whole = store(target.extracting(droppingFirst: start)) else {
      throw .targetTooLong
    }
    targetSlice = whole
    try decodePath(target, from: start)
    hasPath = true
  }

  /// Sets the path `/` and what follows it: nothing, or a query with its `?`.
  private mutating func setRoot(query: borrowing Span<UInt8>) throws(RequestError) {
    for index in query.indices where query[index] <= 0x20 || query[index] == 0x7f {
      throw .malformed(.target)
    }
    // The two are stored one after the other, so that together they are the target.
    let root: [UInt8] = [0x2f]
    guard let path = store(root.span), let rest = store(query) else { throw .targetTooLong }
    targetSlice = Slice(offset: path.offset, count: path.count + rest.count)
    pathSlice = path
    if rest.count > 0 { querySlice = Slice(offset: rest.offset + 1, count: rest.count - 1) }
  }

  /// Reads `http[s]://authority`, and returns where the path starts.
  private mutating func absoluteForm(
    _ target: borrowing Span<UInt8>
  ) throws(RequestError) -> Int {
    var start = 0
    if target.count > 7, target.extracting(first: 7).matchesIgnoringCase("http://") {
      start = 7
    } else if target.count > 8, target.extracting(first: 8).matchesIgnoringCase("https://") {
      start = 8
      schemeIsHTTPS = true
    } else {
      throw .malformed(.target)
    }
    var end = start
    while end < target.count, target[end] != 0x2f, target[end] != 0x3f { end += 1 }
    guard end > start else { throw .malformed(.host) }
    try set(authority: target.extracting(start..<end))
    return end
  }

  /// Decodes the path that starts at `start` into the arena; a query follows the first `?`.
  private mutating func decodePath(
    _ target: borrowing Span<UInt8>, from start: Int
  ) throws(RequestError) {
    let begin = used
    // The decoded path is never longer than what was sent, so one check is enough.
    guard target.count - start <= capacity - used else { throw .targetTooLong }
    var index = start
    var previous: UInt8 = 0
    var segment = begin
    while index < target.count {
      var byte = target[index]
      index += 1
      if byte == 0x3f {
        try setQueryAfterPath(target, index, begin: begin, segment: segment)
        return
      }
      if byte == 0x25 {
        guard target.count - index >= 2, let high = hexadecimalValue(target[index]),
          let low = hexadecimalValue(target[index + 1])
        else { throw .malformed(.pathEscape) }
        byte = high << 4 | low
        index += 2
        guard byte != 0x2f else { throw .malformed(.pathEscape) }
      } else if byte == 0x20 || byte == 0x23 {
        throw .malformed(.target)
      }
      guard byte >= 0x20, byte != 0x7f, byte != 0x5c else { throw .malformed(.pathEscape) }
      if byte == 0x2f {
        if previous == 0x2f { continue }
        try endSegment(from: segment)
        segment = used + 1
      }
      unsafe arena[used] = byte
      used += 1
      previous = byte
    }
    try endSegment(from: segment)
    pathSlice = Slice(offset: Int32(begin), count: Int32(used - begin))
  }

  private mutating func setQueryAfterPath(
    _ target: borrowing Span<UInt8>, _ index: Int, begin: Int, segment: Int
  ) throws(RequestError) {
    try endSegment(from: segment)
    pathSlice = Slice(offset: Int32(begin), count: Int32(used - begin))
    // The query is already in the arena, at the end of the target as sent.
    let count = target.count - index
    for at in index..<target.count where target[at] <= 0x20 || target[at] == 0x7f {
      throw .malformed(.target)
    }
    let end = targetSlice.offset + targetSlice.count
    querySlice = Slice(offset: end - Int32(count), count: Int32(count))
  }

  /// Refuses the segment that ends here if it is `.` or `..`.
  private func endSegment(from start: Int) throws(RequestError) {
    let count = used - start
    guard count == 1 || count == 2, unsafe arena[start] == 0x2e else { return }
    if count == 1 { throw .malformed(.pathTraversal) }
    if unsafe arena[start + 1] == 0x2e { throw .malformed(.pathTraversal) }
  }
}
