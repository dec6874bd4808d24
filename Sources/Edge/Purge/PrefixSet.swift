/// Prefixes, any number, such that whether a text begins with one of them takes O(log n).
struct PrefixSet: Sendable {
  /// Sorted; none begins with another, which would mean nothing beside it.
  private let prefixes: [[UInt8]]

  init(_ texts: some Sequence<String>) {
    var kept: [[UInt8]] = []
    for prefix in texts.map({ Array($0.utf8) }).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      if let last = kept.last, prefix.starts(with: last) { continue }
      kept.append(prefix)
    }
    prefixes = kept
  }

  var isEmpty: Bool { prefixes.isEmpty }
  var count: Int { prefixes.count }

  /// Whether a text begins with one of them.
  func contains(startOf text: some Collection<UInt8>) -> Bool {
    // Of those that don't come after it, only the last can be its beginning: whatever stood between
    // would begin so as well.
    var low = 0
    var high = prefixes.count
    while low < high {
      let middle = (low + high) / 2
      if text.lexicographicallyPrecedes(prefixes[middle]) {
        high = middle
      } else {
        low = middle + 1
      }
    }
    return low > 0 && text.starts(with: prefixes[low - 1])
  }
}
