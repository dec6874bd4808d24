package import EventLoop
package import Media
import Synchronization

/// Which loop has the source of each live stream: asked when a player comes, not for each message.
package final class RelayDirectory: Sendable {
  private struct State {
    var homes: [StreamKey: LoopMailbox] = [:]
    var loops: [LoopMailbox] = []
    /// The camera that each program shows.
    var programs: [StreamKey: StreamKey] = [:]
  }

  /// What stands in a program's key for the camera.
  package static let program = "program"

  private let state = Mutex(State())

  package init() {}

  /// Names the loops to tell of a source that moves.
  package func setLoops(_ loops: [LoopMailbox]) { state.withLock { $0.loops = loops } }

  func home(of key: StreamKey) -> LoopMailbox? { state.withLock { $0.homes[key] } }

  /// The camera that a program shows, until something else is said: its wedding's main one.
  ///
  /// - Returns: nil for a key that is no program's.
  func shown(by key: StreamKey) -> StreamKey? {
    guard key.camera == Self.program else { return nil }
    return state.withLock { $0.programs[key] } ?? StreamKey(wedding: key.wedding)
  }

  /// A program shows a camera from now on; nil for the main one, as long as there is no other.
  package func show(_ camera: StreamKey?, in program: StreamKey) {
    guard let shown = camera ?? StreamKey(wedding: program.wedding) else { return }
    let loops = state.withLock { state in
      state.programs[program] = camera
      return state.loops
    }
    for loop in loops { loop.submit { $0.local(RelayTable.self)?.show(shown, in: program) } }
  }

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
