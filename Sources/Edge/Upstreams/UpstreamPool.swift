package import EventLoop
import Synchronization

/// Which of several equal servers is asked next: the one with the fewest requests under way.
///
/// One that has failed several times is left alone for a while, unless all have: then the one that
/// has rested longest is asked. Counts are held by `UpstreamUse`, which can't leak them.
package final class UpstreamPool: Sendable {
  /// When a server is left alone, in nginx' words.
  package struct Rules: Equatable, Sendable {
    /// Failures within `failTimeout` after which it is.
    package var maxFails = 3
    /// How long; also how far apart failures may be.
    package var failTimeout = Duration.seconds(30)

    package init() {}
  }

  /// One server, as it stands.
  package struct Member: Equatable, Sendable {
    package let upstream: Upstream
    /// Requests under way.
    package fileprivate(set) var active = 0
    /// Requests ever, and those of them that failed.
    package fileprivate(set) var requests = 0
    package fileprivate(set) var failures = 0
    fileprivate var recentFailures = 0
    fileprivate var lastFailure = MonotonicTime(nanoseconds: 0)
    fileprivate var restsUntil = MonotonicTime(nanoseconds: 0)

    /// Whether it is left alone.
    package func rests(at now: MonotonicTime) -> Bool { restsUntil > now }
  }

  private struct State {
    var members: [Member]
    /// Where the search begins, so that equals take turns.
    var turn = 0
  }

  /// What is said where none of them gives an answer; nil: what the last of them had to say.
  let absence: EdgeFailure?
  /// Whether what one of them hasn't got another one may have.
  let isMixed: Bool
  /// Whether the first is asked first, however busy it is.
  private let isOrdered: Bool
  private let rules: Rules
  private let state: Mutex<State>

  package convenience init(
    _ upstreams: [Upstream], rules: Rules = Rules(), isMixed: Bool = false
  ) {
    self.init(upstreams, rules: rules, absence: nil, isMixed: isMixed)
  }

  init(
    _ upstreams: [Upstream], rules: Rules, absence: EdgeFailure?, isMixed: Bool = false,
    isOrdered: Bool = false
  ) {
    self.absence = absence
    self.isMixed = isMixed
    self.isOrdered = isOrdered
    self.rules = rules
    state = Mutex(State(members: upstreams.map { Member(upstream: $0) }))
  }

  package var members: [Member] { state.withLock { $0.members } }

  /// Whether all of them are left alone, so that whoever asks anything asks one of these.
  package var areAllResting: Bool {
    let now = MonotonicTime.now
    return members.allSatisfy { $0.rests(at: now) }
  }

  /// Takes other servers from now on; those that stay keep their counts.
  package func set(_ upstreams: [Upstream]) {
    state.withLock { state in
      var known: [Upstream: Member] = [:]
      for member in state.members { known[member.upstream] = member }
      state.members = upstreams.map { known[$0] ?? Member(upstream: $0) }
      state.turn = 0
    }
  }

  /// Whether there are any besides those that were asked already.
  func hasOthers(besides tried: Set<Upstream>) -> Bool {
    state.withLock { state in state.members.contains { !tried.contains($0.upstream) } }
  }

  /// Chooses a server, and counts a request to it.
  ///
  /// - Parameters:
  ///   - tried: that have failed this request already.
  ///   - now: by the monotonic clock.
  /// - Returns: nil where all have been tried.
  package func use(
    besides tried: Set<Upstream> = [], at now: MonotonicTime = .now
  ) -> UpstreamUse? {
    let upstream = state.withLock { state -> Upstream? in
      let count = state.members.count
      let order = (0..<count).map { (state.turn + $0) % count }
        .filter { !tried.contains(state.members[$0].upstream) }
      let awake = order.filter { !state.members[$0].rests(at: now) }
      let first =
        isOrdered
        ? awake.first : awake.min { state.members[$0].active < state.members[$1].active }
      let chosen =
        first ?? order.min { state.members[$0].restsUntil < state.members[$1].restsUntil }
      guard let chosen else { return nil }
      if !isOrdered { state.turn = (chosen + 1) % count }
      state.members[chosen].active += 1
      state.members[chosen].requests += 1
      return state.members[chosen].upstream
    }
    return upstream.map { UpstreamUse($0, of: self) }
  }

  /// A request is over; one to a server that was taken out meanwhile and is back counts nowhere.
  func leave(_ upstream: Upstream) { change(upstream) { $0.active = max(0, $0.active - 1) } }

  /// A server has answered, or has not as a server should.
  func note(_ upstream: Upstream, failed: Bool, at now: MonotonicTime) {
    change(upstream) { member in
      if failed { member.fail(rules, at: now) } else { member.recentFailures = 0 }
    }
  }

  private func change(_ upstream: Upstream, _ body: (inout Member) -> Void) {
    state.withLock { state in
      guard let index = state.members.firstIndex(where: { $0.upstream == upstream }) else { return }
      body(&state.members[index])
    }
  }
}

extension UpstreamPool.Member {
  fileprivate mutating func fail(_ rules: UpstreamPool.Rules, at now: MonotonicTime) {
    failures += 1
    if lastFailure + rules.failTimeout < now { recentFailures = 0 }
    recentFailures += 1
    lastFailure = now
    guard rules.maxFails > 0, recentFailures >= rules.maxFails else { return }
    recentFailures = 0
    restsUntil = now + rules.failTimeout
  }
}
