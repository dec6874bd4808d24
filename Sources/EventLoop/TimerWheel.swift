/// Names one timer of a wheel; a name is never used for another timer while it is known.
package struct TimerID: Hashable, Sendable {
  let index: UInt32
  let generation: UInt32
}

/// A hashed timer wheel: adds and cancels in O(1), without an allocation once it has grown.
///
/// Deadlines are rounded up to the next tick, so a timer never fires early. A timer further away
/// than one turn of the wheel is looked at once a turn; with the 512 slots of 10 ms that a loop
/// uses, 10,000 idle connections cost about 2,000 looks a second. A hierarchical wheel would
/// save those.
package struct TimerWheel: Sendable {
  private struct Node: Sendable {
    var next: Int32 = -1
    var previous: Int32 = -1
    var slot: Int32 = -1
    var generation: UInt32 = 0
    var tick: UInt64 = 0
    var payload: UInt64 = 0
  }

  private let tickNanoseconds: UInt64
  private let mask: UInt64
  private var heads: [Int32]
  private var nodes: [Node] = []
  private var free: Int32 = -1
  private var current: UInt64
  /// How many timers are armed.
  package private(set) var count = 0

  /// Makes an empty wheel.
  ///
  /// - Parameters:
  ///   - start: the time of the first tick.
  ///   - tick: the resolution.
  ///   - slots: a power of two.
  package init(start: MonotonicTime, tick: Duration = .milliseconds(10), slots: Int = 512) {
    precondition(slots > 0 && slots & (slots - 1) == 0, "slots must be a power of two")
    tickNanoseconds = UInt64(max(1, tick.nanoseconds))
    mask = UInt64(slots - 1)
    heads = [Int32](repeating: -1, count: slots)
    current = start.nanoseconds / tickNanoseconds
  }

  /// Arms a timer.
  ///
  /// - Parameters:
  ///   - deadline: when it is due; a time in the past is due at the next tick.
  ///   - payload: what `expire` hands out.
  /// - Returns: the name to cancel it by.
  package mutating func add(_ deadline: MonotonicTime, payload: UInt64) -> TimerID {
    let index = takeNode()
    let rounded = deadline.nanoseconds.addingReportingOverflow(tickNanoseconds - 1)
    let tick = max(
      current + 1, (rounded.overflow ? .max : rounded.partialValue) / tickNanoseconds)
    nodes[Int(index)].tick = tick
    nodes[Int(index)].payload = payload
    link(index, slot: Int32(tick & mask))
    count += 1
    return TimerID(index: UInt32(index), generation: nodes[Int(index)].generation)
  }

  /// Disarms a timer; false when it had fired or been cancelled before.
  @discardableResult
  package mutating func cancel(_ id: TimerID) -> Bool {
    guard id.index < nodes.count, nodes[Int(id.index)].generation == id.generation,
      nodes[Int(id.index)].slot >= 0
    else { return false }
    release(Int32(id.index))
    return true
  }

  /// Takes out every timer due by `now`, appending the payloads in the order of their ticks.
  package mutating func expire(_ now: MonotonicTime, into due: inout [UInt64]) {
    let target = now.nanoseconds / tickNanoseconds
    guard target > current else { return }
    // After a long sleep each slot is visited once, not once per missed tick.
    let steps = min(target - current, mask + 1)
    let late = target - current > mask + 1
    var found: [(tick: UInt64, payload: UInt64)] = []
    for step in 1...steps {
      var index = heads[Int((current + step) & mask)]
      while index >= 0 {
        let node = nodes[Int(index)]
        if node.tick <= target {
          if late {
            found.append((node.tick, node.payload))
          } else {
            due.append(node.payload)
          }
          release(index)
        }
        index = node.next
      }
    }
    if late { due.append(contentsOf: found.sorted { $0.tick < $1.tick }.map(\.payload)) }
    current = target
  }

  /// How long a loop may sleep from `now` before a timer can be due; nil when none is armed.
  ///
  /// Looks ahead at most one turn of the wheel, and stops at the first slot in use, so a timer of
  /// a later turn can wake the loop early; it then sleeps on.
  package func sleep(from now: MonotonicTime) -> Duration? {
    guard count > 0 else { return nil }
    var tick = current + 1
    while heads[Int(tick & mask)] < 0, tick <= current + mask { tick += 1 }
    let due = tick &* tickNanoseconds
    return due <= now.nanoseconds ? .zero : .nanoseconds(Int64(due - now.nanoseconds))
  }

  private mutating func takeNode() -> Int32 {
    if free >= 0 {
      let index = free
      free = nodes[Int(index)].next
      return index
    }
    nodes.append(Node())
    return Int32(nodes.count - 1)
  }

  private mutating func link(_ index: Int32, slot: Int32) {
    let head = heads[Int(slot)]
    nodes[Int(index)].slot = slot
    nodes[Int(index)].next = head
    nodes[Int(index)].previous = -1
    if head >= 0 { nodes[Int(head)].previous = index }
    heads[Int(slot)] = index
  }

  private mutating func release(_ index: Int32) {
    let node = nodes[Int(index)]
    if node.previous >= 0 {
      nodes[Int(node.previous)].next = node.next
    } else {
      heads[Int(node.slot)] = node.next
    }
    if node.next >= 0 { nodes[Int(node.next)].previous = node.previous }
    nodes[Int(index)].slot = -1
    nodes[Int(index)].generation &+= 1
    nodes[Int(index)].next = free
    free = index
    count -= 1
  }
}
