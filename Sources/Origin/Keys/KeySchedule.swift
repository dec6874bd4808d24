package import Media

/// Which key a stream's next segment gets, and when that is another one.
///
/// Confined to the stream's owner. It never waits: the next key is asked for while the last one is
/// in use, and taken only once it can be had by viewers. A key that doesn't come in time makes the
/// one in use last longer.
package struct KeySchedule {
  package struct Configuration: Sendable, Equatable {
    /// For how many segments a key is used.
    package var segmentsPerKey = 10
    /// How long it is used at most, however few they are.
    package var rotateEvery = MediaTime(milliseconds: 86_400_000)

    package init() {}
  }

  private let configuration: Configuration
  private var current: StreamKeyMaterial?
  private var next: StreamKeyMaterial?
  private var used = 0
  private var since = MediaTime.zero
  private var isForced = false
  /// Whether a key is to be made now, and handed to `add`; asked once for each.
  private var isWaiting = false

  package init(configuration: Configuration = Configuration()) {
    self.configuration = configuration
  }

  /// Takes a key that viewers can have from now on.
  package mutating func add(_ key: StreamKeyMaterial) {
    isWaiting = false
    next = key
  }

  /// The key that was asked for may never come, as who asked has gone.
  package mutating func askAgain() { isWaiting = false }

  /// Another key is wanted with the next segment.
  package mutating func rotate() { isForced = true }

  /// Whether a key is to be made, which `add` is then given; true once for each.
  package mutating func takeWant() -> Bool {
    guard next == nil, !isWaiting else { return false }
    isWaiting = true
    return true
  }

  /// The keys that it has: the one in use and the one that comes next.
  package var held: [StreamKeyMaterial] { [current, next].compactMap { $0 } }

  /// The key of the next segment, and the one that is used no more from here on.
  ///
  /// - Parameter now: the owner's monotonic clock.
  /// - Returns: nil where no key has come yet.
  package mutating func key(
    now: MediaTime
  ) -> (key: StreamKeyMaterial, retired: StreamKeyMaterial?)? {
    var retired: StreamKeyMaterial?
    let isDue =
      isForced || used >= configuration.segmentsPerKey || now - since >= configuration.rotateEvery
    if current == nil || isDue, let next {
      retired = current
      current = next
      self.next = nil
      used = 0
      since = now
      isForced = false
    }
    guard let current else { return nil }
    used += 1
    return (current, retired)
  }
}
