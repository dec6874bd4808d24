/// Why the origin gave nothing.
enum EdgeFailure: Error, Sendable {
  case unreachable(String)
  case late(String)

  var status: Int {
    switch self {
    case .unreachable: 502
    case .late: 504
    }
  }

  var words: String {
    switch self {
    case .unreachable(let words), .late(let words): words
    }
  }
}
