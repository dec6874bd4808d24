/// Finds what a person may have meant.
enum NearestName {
  /// The name that takes the fewest edits, if those are few for its length.
  static func of(_ word: String, among names: some Sequence<String>) -> String? {
    var best: (name: String, edits: Int)?
    for name in names {
      let edits = edits(word, name)
      if edits < best?.edits ?? .max { best = (name, edits) }
    }
    guard let best, best.edits <= max(2, word.count / 3) else { return nil }
    return best.name
  }

  /// Insertions, deletions, replacements and swaps of neighbours that make one word the other.
  static func edits(_ first: String, _ second: String) -> Int {
    let a = Array(first.utf8)
    let b = Array(second.utf8)
    var twoAbove = [Int](repeating: 0, count: b.count + 1)
    var above = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var least = min(above[j + 1] + 1, row[j] + 1, above[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          least = min(least, twoAbove[j - 1] + 1)
        }
        row.append(least)
      }
      (twoAbove, above) = (above, row)
    }
    return above[b.count]
  }
}
