import EventLoop

/// The requests of one loop that wait for something to happen.
struct HeldRequests {
  struct Entry {
    var generation: UInt32 = 0
    var waiter: Waiter?
  }

  struct Waiter {
    var request: RequestKey
    var isHead: Bool
    var acceptsGzip: Bool
    var otherwise: ReadyResponse
    var timer: ScheduledWork?
  }

  private var entries: [Entry] = []
  private var free: [UInt32] = []
  private(set) var count = 0

  /// Keeps a waiter; complexity O(1).
  mutating func insert(_ waiter: Waiter) -> HeldRequest {
    count += 1
    if let slot = free.popLast() {
      entries[Int(slot)].waiter = waiter
      return HeldRequest(slot: slot, generation: entries[Int(slot)].generation)
    }
    entries.append(Entry(generation: 0, waiter: waiter))
    return HeldRequest(slot: UInt32(entries.count - 1), generation: 0)
  }

  /// Says which timer ends the wait.
  mutating func set(timer: ScheduledWork, for token: HeldRequest) {
    guard contains(token) else { return }
    entries[Int(token.slot)].waiter?.timer = timer
  }

  /// Takes a waiter out; nil where it has been taken before.
  mutating func remove(_ token: HeldRequest) -> Waiter? {
    guard contains(token) else { return nil }
    defer {
      entries[Int(token.slot)].waiter = nil
      entries[Int(token.slot)].generation &+= 1
      free.append(token.slot)
      count -= 1
    }
    return entries[Int(token.slot)].waiter
  }

  /// Whether a waiter has not been taken out.
  func contains(_ token: HeldRequest) -> Bool {
    token.slot < entries.count && entries[Int(token.slot)].generation == token.generation
      && entries[Int(token.slot)].waiter != nil
  }
}
