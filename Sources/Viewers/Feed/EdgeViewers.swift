package import Media
import Synchronization

/// How many viewers other nodes have of this node's streams, as these tell with each question for
/// news.
///
/// A question is held for 20 s at most, so a node that follows a stream tells at least as often;
/// one that has died is forgotten a while later.
package final class EdgeViewers: Sendable {
  /// How long what a node has told counts, in seconds.
  private static let lifetime: UInt64 = 45
  /// How many numbers are kept, of all nodes and streams together.
  private static let limit = 100_000
  /// The largest number that is believed.
  private static let most = 10_000_000

  private struct Told {
    var viewers: Int
    var second: UInt64
  }

  private struct State {
    var streams: [StreamKey: [String: Told]] = [:]
    var count = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// Notes what a node tells.
  ///
  /// - Parameters:
  ///   - viewers: that it has of a stream.
  ///   - key: of the stream.
  ///   - node: its name.
  ///   - second: now.
  package func note(_ viewers: Int, of key: StreamKey, at node: String, now second: UInt64) {
    guard (1...64).contains(node.utf8.count) else { return }
    state.withLock { state in
      let isNew = state.streams[key]?[node] == nil
      if isNew, state.count >= Self.limit {
        Self.forget(&state, now: second)
        guard state.count < Self.limit else { return }
      }
      if isNew { state.count += 1 }
      state.streams[key, default: [:]][node] = Told(
        viewers: min(max(0, viewers), Self.most), second: second)
    }
  }

  /// How many all other nodes have of a stream.
  package func count(of key: StreamKey, now second: UInt64) -> Int {
    state.withLock { state in
      (state.streams[key] ?? [:]).values.reduce(0) {
        $1.second + Self.lifetime >= second ? $0 + $1.viewers : $0
      }
    }
  }

  private static func forget(_ state: inout State, now second: UInt64) {
    state.streams = state.streams.compactMapValues { nodes in
      let fresh = nodes.filter { $0.value.second + lifetime >= second }
      return fresh.isEmpty ? nil : fresh
    }
    state.count = state.streams.values.reduce(0) { $0 + $1.count }
  }
}
