/// Why the origin gave nothing.
enum EdgeFailure: Error, Sendable {
  case unreachable(String)
  case late(String)
  /// Only one node has it, and that can't be asked now.
  case away(String)

  var status: Int {
    switch self {
    case .unreachable: 502
    case .late: 504
    case .away: 503
    }
  }

  /// A stable word.
  var code: String { if case .away = self { "node_away" } else { "origin_failed" } }

  var words: String {
    switch self {
    case .unreachable(let words), .late(let words), .away(let words): words
    }
  }
}
