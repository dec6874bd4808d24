import EventLoop

/// Responses that were waited for and begin at the same moment: each client gets its head before
/// any of them gets a body.
///
/// To fill one client's socket takes as long as to begin some ten others. So where many are
/// released one after the other, their bodies wait until no more come, or for a while at most; then
/// a few begin at a time, as there may be more heads after all.
struct Crowd {
  /// So many begin with all that there is: behind few, nobody waits long.
  static let few = 8
  /// How long bodies wait for other heads at most.
  static let patience = Duration.milliseconds(20)

  /// Responses that have begun since there was nobody.
  private var count = 0
  /// Those of them whose bodies wait, or waited: from `next` on.
  private var waiting: [RequestKey] = []
  private var next = 0
  private var since = MonotonicTime.now
  /// `count` when it was last looked at.
  private var seen = 0

  /// What is to be done about one that begins.
  struct Beginning {
    /// Whether its body is to wait.
    var waits: Bool
    /// Whether it is the first, and the crowd is to be looked at soon.
    var isFirst: Bool
  }

  /// A response begins.
  mutating func begin(_ request: RequestKey, at now: MonotonicTime) -> Beginning {
    if count == 0 { since = now }
    count += 1
    let waits = count > Self.few
    if waits { waiting.append(request) }
    return Beginning(waits: waits, isFirst: count == 1)
  }

  /// Those whose bodies may begin: a few, where no other response has begun since the last look.
  mutating func look(at now: MonotonicTime) -> ArraySlice<RequestKey> {
    let isQuiet = count == seen
    seen = count
    guard isQuiet || now - since >= Self.patience else { return [] }
    let ready = waiting[next...].prefix(Self.few)
    next += ready.count
    return ready
  }

  /// Ends it where nobody waits any more; it is looked at again otherwise.
  mutating func end() -> Bool {
    guard next == waiting.count else { return false }
    count = 0
    seen = 0
    next = 0
    waiting.removeAll(keepingCapacity: waiting.capacity <= 4_096)
    return true
  }
}
