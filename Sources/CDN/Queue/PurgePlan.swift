import Bytes
import Crypto
import Redis
import Storage

/// Decides which purges are sent next, together, and when those that failed are tried again.
///
/// Purges of a wedding are sent in their order, one call after the other; those of others don't
/// wait for them. A call that fails is tried again in halves, so that what a CDN chokes on is alone
/// in the end, and is given up alone.
struct PurgePlan {
  /// One call, and the purges that are done with it: more of them where some are the same.
  struct Call: Equatable, Sendable {
    let batch: PurgeBatch
    let entries: [QueuedPurge]
  }

  enum Step: Equatable, Sendable {
    case send(Call)
    /// Nothing before then.
    case wait(Duration)
    /// Nothing at all.
    case idle
  }

  private struct Waiting {
    let entry: QueuedPurge
    var attempts = 0
    /// How many may be in a call with it.
    var company = Int.max
    var due: ContinuousClock.Instant?
  }

  private let configuration: PurgeQueueConfiguration
  private var waiting: [Waiting] = []
  /// Nothing is sent before.
  private var pause: ContinuousClock.Instant?
  /// Calls in a row that failed for reasons that aren't a purge's own.
  private var failures = 0

  init(_ configuration: PurgeQueueConfiguration) { self.configuration = configuration }

  var count: Int { waiting.count }

  /// Adds purges behind those that are there.
  mutating func add(_ entries: [QueuedPurge]) {
    waiting += entries.map { Waiting(entry: $0) }
  }

  /// Replaces all purges; of those that are known already it is known on how they fared.
  mutating func reload(_ entries: [QueuedPurge]) {
    let known = Dictionary(waiting.map { ($0.entry.id, $0) }) { $1 }
    waiting = entries.map { known[$0.id] ?? Waiting(entry: $0) }
  }

  // MARK: What is next

  /// What to do now.
  ///
  /// - Complexity: O(n) in the purges that wait.
  func next(_ now: ContinuousClock.Instant, _ group: (CDNPurge) -> PurgeGroup) -> Step {
    guard !waiting.isEmpty else { return .idle }
    if let pause, pause > now { return .wait(pause - now) }
    // Weddings whose later purges have to wait: one before them isn't in this call.
    var blocked: Set<String> = []
    var soonest: Duration?
    var chosen: PurgeGroup?
    var entries: [QueuedPurge] = []
    var purges: [CDNPurge] = []
    var seen: Set<CDNPurge> = []
    var (limit, weight) = (Int.max, 0)
    for item in waiting {
      let purge = item.entry.purge
      if blocked.contains(purge.wedding) { continue }
      if let due = item.due, due > now {
        soonest = min(soonest ?? due - now, due - now)
        blocked.insert(purge.wedding)
        continue
      }
      let own = group(purge)
      var same = purge
      same.reason = ""
      let isNew = !seen.contains(same)
      let fits =
        (chosen.map { $0.name == own.name } ?? true)
        && (!isNew
          || purges.count < min(limit, item.company, own.limit)
            && weight + own.weight <= own.weightLimit)
      guard fits else {
        blocked.insert(purge.wedding)
        if purges.count >= limit { break }
        continue
      }
      chosen = chosen ?? own
      entries.append(item.entry)
      guard isNew else { continue }
      limit = min(limit, item.company, own.limit)
      weight += own.weight
      seen.insert(same)
      purges.append(purge)
    }
    guard !entries.isEmpty else { return soonest.map { .wait($0) } ?? .idle }
    return .send(Call(batch: PurgeBatch(id: Self.name(entries), purges), entries: entries))
  }

  /// The same for the same purges of the queue.
  private static func name(_ entries: [QueuedPurge]) -> String {
    var hash = SHA256()
    for entry in entries { hash.update(data: Array("\(entry.id) ".utf8)) }
    return "wedlive-" + Hexadecimal.text(Array(hash.finalize()).prefix(16))
  }

  // MARK: What became of it

  /// A call was done.
  mutating func succeeded(_ call: Call) {
    if isOutage {
      // Nobody's purges were at fault.
      for index in waiting.indices { waiting[index].company = .max }
    }
    failures = 0
    pause = nil
    remove(Set(call.entries.map(\.id)))
  }

  /// A call failed.
  ///
  /// - Parameters:
  ///   - call: as `next` gave it.
  ///   - error: what it failed by.
  ///   - now: the time.
  ///   - chance: 0..<1, for the pauses.
  /// - Returns: those that are given up, which are not in the plan any more.
  mutating func failed(
    _ call: Call, _ error: CDNError, _ now: ContinuousClock.Instant, chance: Double
  ) -> [QueuedPurge] {
    switch error.code {
    case .refused, .tooLarge, .misconfigured:
      // Some of it is wrong, or all is too much: never the CDN's state, so without a pause.
      if call.batch.purges.count == 1 { return giveUp(call.entries) }
      divide(call)
    case .limited:
      // All other purges would get the same.
      failures += 1
      let wait = max(error.retryAfter ?? .zero, length(failures, chance))
      pause = now + wait
      postpone(call, now, chance, atLeast: wait, counts: false)
    case .unavailable, .timedOut, .malformed, .denied:
      failures += 1
      if !isOutage { divide(call) }
      let exhausted = postpone(call, now, chance, counts: call.batch.purges.count == 1)
      if let asked = error.retryAfter {
        pause = now + max(asked, length(1, chance))
      } else if isOutage {
        pause = now + min(length(failures, chance), Self.longestOutagePause)
      }
      // While nothing gets through at all it isn't known whose fault it is: age alone counts.
      return isOutage ? [] : giveUp(exhausted)
    case .cancelled, .full, .queueUnavailable:
      break
    }
    return []
  }

  /// Whether call after call failed: not one purge's fault, or not alone.
  private var isOutage: Bool { failures > 2 }

  /// How soon it is tried again whether a CDN works at all.
  private static let longestOutagePause: Duration = .seconds(30)

  /// Takes out what is older than purges may become.
  ///
  /// - Parameter now: in milliseconds since 1970.
  /// - Returns: those.
  mutating func expired(_ now: UInt64) -> [QueuedPurge] {
    let age = UInt64(max(0, configuration.maxAge.components.seconds)) * 1_000
    guard let first = waiting.first, first.entry.id.milliseconds + age < now else { return [] }
    return giveUp(waiting.map(\.entry).filter { $0.id.milliseconds + age < now })
  }

  private mutating func giveUp(_ entries: [QueuedPurge]) -> [QueuedPurge] {
    remove(Set(entries.map(\.id)))
    return entries
  }

  private mutating func remove(_ ids: Set<RedisStreamID>) {
    if !ids.isEmpty { waiting.removeAll { ids.contains($0.entry.id) } }
  }

  /// Its purges will be in calls of half its size.
  private mutating func divide(_ call: Call) {
    let ids = Set(call.entries.map(\.id))
    let half = max(1, call.batch.purges.count / 2)
    for index in waiting.indices where ids.contains(waiting[index].entry.id) {
      waiting[index].company = min(waiting[index].company, half)
    }
  }

  /// Its purges wait, each for as long as its attempts say.
  ///
  /// - Returns: those that have failed too often.
  @discardableResult
  private mutating func postpone(
    _ call: Call, _ now: ContinuousClock.Instant, _ chance: Double, atLeast least: Duration = .zero,
    counts: Bool
  ) -> [QueuedPurge] {
    let ids = Set(call.entries.map(\.id))
    var exhausted: [QueuedPurge] = []
    for index in waiting.indices where ids.contains(waiting[index].entry.id) {
      if counts { waiting[index].attempts += 1 }
      waiting[index].due = now + max(least, length(max(1, waiting[index].attempts), chance))
      if waiting[index].attempts >= configuration.maxAttempts {
        exhausted.append(waiting[index].entry)
      }
    }
    return exhausted
  }

  /// The pause after so many failures: doubled each time, less up to half by chance.
  private func length(_ failures: Int, _ chance: Double) -> Duration {
    let whole = min(
      configuration.firstPause * (1 << min(failures - 1, 20)), configuration.longestPause)
    return whole - whole * (chance / 2)
  }
}
