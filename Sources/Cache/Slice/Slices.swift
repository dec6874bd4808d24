/// A large object as aligned parts, each stored and asked for by itself.
///
/// Who asks for the end of a film doesn't wait for its beginning, and what one viewer has asked for
/// is there for the next who asks for another range of it.
package struct Slices: Equatable, Sendable {
  /// Bytes of each but the last.
  package let size: Int

  /// - Parameter size: at least 1.
  package init(size: Int) { self.size = max(1, size) }

  /// Which slice has a byte.
  package func number(of offset: Int) -> Int { offset / size }

  /// The bytes of a slice; of the whole's length as far as that is known.
  ///
  /// What no offset can say is left out: slices and lengths come from viewers and upstreams.
  package func range(of number: Int, total: Int? = nil) -> Range<Int> {
    let start = number.saturatingTimes(size)
    let end = start > Int.max - size ? Int.max : start + size
    return start..<max(start, min(end, total ?? Int.max))
  }

  /// How many slices a whole has.
  package func count(total: Int) -> Int { total / size + (total % size > 0 ? 1 : 0) }

  /// The value of the Range field that asks for a slice; the last byte may be beyond the whole's.
  package func field(of number: Int) -> String {
    let range = range(of: number)
    return "bytes=\(range.lowerBound)-\(max(range.lowerBound, range.upperBound - 1))"
  }

  /// The slices that a range has bytes of.
  package func numbers(of range: Range<Int>) -> ClosedRange<Int> {
    number(of: range.lowerBound)...number(of: max(range.lowerBound, range.upperBound - 1))
  }

  /// The part of a slice that a range asks for, counted from the slice's first byte.
  package func part(of number: Int, in range: Range<Int>) -> Range<Int> {
    let own = self.range(of: number).clamped(to: range)
    let start = number.saturatingTimes(size)
    return own.lowerBound - start..<own.upperBound - start
  }

  /// The slice that a request needs first, before the whole's length is known.
  ///
  /// - Parameter range: the value of its Range field; nil for the whole.
  /// - Returns: nil where only the length would tell: the last bytes are asked for, or some beyond
  ///   all that a slice could have. Any slice tells the length then, and the first is the likeliest
  ///   to be there.
  package func first(of range: String?) -> Int? {
    guard let range else { return 0 }
    guard range.lowercased().hasPrefix("bytes=") else { return 0 }
    let rest = range.dropFirst(6)
    // Several ranges are seen to when the length is known.
    guard let end = rest.firstIndex(of: "-"), end > rest.startIndex,
      let start = Int(rest[..<end].trimmingBlanks()), start >= 0, start <= Int.max - size
    else { return nil }
    return number(of: start)
  }
}

extension Int {
  fileprivate func saturatingTimes(_ other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
