import Synchronization

/// One request to the origin for each object, however many wait for it.
///
/// Who asks first leads: it goes to the origin, and hands what has come of it to all who asked
/// meanwhile, each once. Those who are told in one place are kept together, so that the leader
/// hands on a few lists, however many wait.
package final class FlightTable<Waiter: Sendable>: Sendable {
  /// What one who asks has to do.
  package enum Part: Equatable, Sendable {
    /// Go to the origin, and then call `land`.
    case lead
    /// Wait to be told.
    case wait
    /// As many wait for it as may.
    case full
  }

  private struct Flight {
    var groups: [(place: ObjectIdentifier?, waiters: [Waiter])] = []
    var count = 0

    mutating func add(_ waiter: Waiter, at place: ObjectIdentifier?) {
      count += 1
      // A place is a loop, of which there are few.
      if let index = groups.firstIndex(where: { $0.place == place }) {
        groups[index].waiters.append(waiter)
      } else {
        groups.append((place, [waiter]))
      }
    }
  }

  private let flights = Mutex<[CacheKey: Flight]>([:])
  private let mostWaiters: Int

  /// - Parameter mostWaiters: for one object; more are refused.
  package init(mostWaiters: Int = 100_000) { self.mostWaiters = mostWaiters }

  /// Asks for an object; complexity O(1), and O(n) in the number of places.
  ///
  /// - Parameters:
  ///   - key: of the object.
  ///   - waiter: kept where another one leads.
  ///   - place: where it is told.
  /// - Returns: what to do.
  package func join(
    _ key: CacheKey, _ waiter: Waiter, at place: ObjectIdentifier? = nil
  ) -> Part {
    flights.withLock { flights in
      guard let index = flights.index(forKey: key) else {
        flights[key] = Flight()
        return .lead
      }
      guard flights.values[index].count < mostWaiters else { return .full }
      // Where it stands: a copy would be one of all who wait.
      flights.values[index].add(waiter, at: place)
      return .wait
    }
  }

  /// The leader knows what has come of it; the next who asks leads anew.
  ///
  /// - Returns: who is to be told: a list for each place, in the order in which they came.
  package func land(_ key: CacheKey) -> [[Waiter]] {
    flights.withLock { $0.removeValue(forKey: key) }?.groups.map(\.waiters) ?? []
  }

  /// Objects that are asked for now.
  package var count: Int { flights.withLock { $0.count } }
}
