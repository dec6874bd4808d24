/// The connections of a server that are in their handshake, oldest first.
///
/// A bound on their number must not be a door to shut in everybody's face: who is honest takes some
/// round trips, who holds a place to keep others out takes as long as it may. So the oldest gives
/// way.
package struct HandshakeQueue {
  private var order: [ChannelID] = []
  private var head = 0
  private var open: Set<ChannelID> = []

  package init() {}

  /// How many there are.
  package var count: Int { open.count }

  /// A handshake begins.
  package mutating func add(_ id: ChannelID) {
    guard open.insert(id).inserted else { return }
    // Most that are over stand at the front, where `removeOldest` passes them over.
    if order.count - head > 2 * open.count + 64 {
      order = order[head...].filter(open.contains)
      head = 0
    }
    order.append(id)
  }

  /// A handshake is over; one that has none is no error.
  package mutating func remove(_ id: ChannelID) { open.remove(id) }

  /// Takes out the one that has lasted longest; nil where there is none.
  package mutating func removeOldest() -> ChannelID? {
    while head < order.count {
      let id = order[head]
      head += 1
      if open.remove(id) != nil { return id }
    }
    order.removeAll(keepingCapacity: true)
    head = 0
    return nil
  }
}
