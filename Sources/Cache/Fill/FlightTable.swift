import Synchronization

/// One request to the origin for each object, however many wait for it.
///
/// Who asks first leads: it goes to the origin, and says what has come of it. All who ask meanwhile
/// wait for that, and are called with it, each once, from the leader's thread and outside of any lock.
package final class FlightTable<Outcome: Sendable>: Sendable {
  package typealias Waiter = @Sendable (Outcome) -> Void

  /// What one who asks has to do.
  package enum Part: Equatable, Sendable {
    /// Go to the origin, and then call `land`.
    case lead
    /// Wait to be called; the number takes the wait back.
    case wait(Int)
    /// As many wait for it as may.
    case full
  }

  private struct Flight {
    var waiters: [Int: Waiter] = [:]
    var next = 0
  }

  private let flights = Mutex<[CacheKey: Flight]>([:])
  private let mostWaiters: Int

  /// - Parameter mostWaiters: for one object; more are refused.
  package init(mostWaiters: Int = 100_000) { self.mostWaiters = mostWaiters }

  /// Asks for an object.
  ///
  /// - Parameters:
  ///   - key: of the object.
  ///   - waiter: kept where another one leads.
  /// - Returns: what to do.
  package func join(_ key: CacheKey, _ waiter: @escaping Waiter) -> Part {
    flights.withLock { flights in
      guard var flight = flights[key] else {
        flights[key] = Flight()
        return .lead
      }
      guard flight.waiters.count < mostWaiters else { return .full }
      let number = flight.next
      flight.next += 1
      flight.waiters[number] = waiter
      flights[key] = flight
      return .wait(number)
    }
  }

  /// One who waits has gone.
  package func leave(_ key: CacheKey, _ number: Int) {
    flights.withLock { flights in _ = flights[key]?.waiters.removeValue(forKey: number) }
  }

  /// The leader says what has come of it; the next who asks leads anew.
  ///
  /// - Returns: how many waited.
  @discardableResult package func land(_ key: CacheKey, _ outcome: Outcome) -> Int {
    let flight = flights.withLock { $0.removeValue(forKey: key) }
    guard let waiters = flight?.waiters else { return 0 }
    for number in waiters.keys.sorted() { waiters[number]?(outcome) }
    return waiters.count
  }

  /// Objects that are asked for now.
  package var count: Int { flights.withLock { $0.count } }
}
