import Synchronization

/// Whom an edge asks for recordings: each has one node alone that keeps it.
final class RecordingPools: Sendable {
  /// There are no more nodes than that; those of nodes that have gone are forgotten with all
  /// others.
  private static let limit = 1_000

  private struct Key: Hashable {
    let upstream: Upstream
    let words: String
  }

  private let locator: RecordingLocator
  private let rules: UpstreamPool.Rules
  private let pools = Mutex<[Key: UpstreamPool]>([:])

  init(_ locator: RecordingLocator, rules: UpstreamPool.Rules) {
    self.locator = locator
    self.rules = rules
  }

  /// Whom to ask for a file of a recording, where that is known; nil where it has to be found out.
  func known(_ name: RecordingLocator.Name) -> UpstreamPool? { locator.known(name).flatMap(pool) }

  /// Whom to ask for a file of a recording; nil where nobody has it.
  func find(_ name: RecordingLocator.Name) async -> UpstreamPool? {
    pool(await locator.find(name))
  }

  private func pool(_ place: RecordingLocator.Place) -> UpstreamPool? {
    switch place {
    case .nobody: return nil
    case .away(let words): return UpstreamPool([], rules: rules, absence: .away(words))
    case .node(let upstream, let words):
      let key = Key(upstream: upstream, words: words)
      return pools.withLock { pools in
        if let pool = pools[key] { return pool }
        if pools.count >= Self.limit { pools = [:] }
        let pool = UpstreamPool([upstream], rules: rules, absence: .away(words))
        pools[key] = pool
        return pool
      }
    }
  }
}
