/// Rows of words under a head, in columns as wide as their widest word.
struct TextTable {
  private var rows: [[String]]

  init(head: [String]) { rows = [head] }

  /// Adds a row of as many words as the head has.
  mutating func add(_ row: [String]) { rows.append(row) }

  /// Lines that end with a line break, and with no blank before it.
  var text: String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let line = row.enumerated().map { column, word in
        word + String(repeating: " ", count: widths[column] - word.count)
      }.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
  }
}
