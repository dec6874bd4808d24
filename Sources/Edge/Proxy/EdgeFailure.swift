import HTTPClient

/// Why the origin gave nothing; the words go to viewers, and name no server.
enum EdgeFailure: Error, Sendable {
  case unreachable(String)
  case late(String)
  /// Only one node has it, and that can't be asked now.
  case away(String)

  init(_ problem: HTTPClientError) {
    self = problem.code == .timedOut ? Self.tookTooLong : Self.gaveNoAnswer
  }

  static let gaveNoAnswer = EdgeFailure.unreachable(
    "The origin gave no answer; ask again in a moment.")
  static let tookTooLong = EdgeFailure.late(
    "The origin took too long to answer; ask again in a moment.")

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
