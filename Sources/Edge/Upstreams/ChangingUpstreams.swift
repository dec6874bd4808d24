import Synchronization

/// Upstreams that come and go, such as the processes of an upgrade: one pool for as long as they
/// are the same, of which the first that answers is asked.
final class ChangingUpstreams: Sendable {
  private let those: @Sendable () -> [Upstream]
  private let last: Mutex<(upstreams: [Upstream], pool: UpstreamPool)>

  /// - Parameter those: that are there now, the one that is asked first at the front.
  init(_ those: @escaping @Sendable () -> [Upstream]) {
    self.those = those
    let upstreams = those()
    last = Mutex((upstreams, Self.pool(upstreams)))
  }

  /// Those that are there; where there is none any more, nobody has what they had.
  var pool: UpstreamPool {
    let upstreams = those()
    return last.withLock { last in
      if last.upstreams != upstreams { last = (upstreams, Self.pool(upstreams)) }
      return last.pool
    }
  }

  private static func pool(_ upstreams: [Upstream]) -> UpstreamPool {
    // None is left alone: what the first one has, the others needn't have.
    var rules = UpstreamPool.Rules()
    rules.maxFails = 0
    return UpstreamPool(
      upstreams, rules: rules, absence: upstreams.isEmpty ? .absent : nil, isOrdered: true)
  }
}
