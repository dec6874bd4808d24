package import EventLoop
package import Media
import Synchronization

/// Which loop has the source of each live stream: asked when a player comes, not for each message.
package final class RelayDirectory: Sendable {
  private struct State {
    var homes: [StreamKey: LoopMailbox] = [:]
    var loops: [LoopMailbox] = []
  }

  private let state = Mutex(State())

  package init() {}

  /// Names the loops to tell of a source that moves.
  package func setLoops(_ loops: [LoopMailbox]) { state.withLock { $0.loops = loops } }

  func home(of key: StreamKey) -> LoopMailbox? { state.withLock { $0.homes[key] } }

  func set(_ key: StreamKey, _ home: LoopMailbox) {
    let loops = state.withLock { state in
      state.homes[key] = home
      return state.loops
    }
    for loop in loops {
      loop.submit { $0.local(RelayTable.self)?.sourceMoved(key, to: home) }
    }
  }

  /// The stream is over, not only its publisher: players are told.
  package func end(_ key: StreamKey) {
    let loops = state.withLock { state in
      state.homes[key] = nil
      return state.loops
    }
    for loop in loops { loop.submit { $0.local(RelayTable.self)?.deliver(.over, of: key) } }
  }

  /// Takes a stream away, unless another loop has it by now.
  func remove(_ key: StreamKey, _ home: LoopMailbox) {
    state.withLock { state in
      if state.homes[key] === home { state.homes[key] = nil }
    }
  }
}
