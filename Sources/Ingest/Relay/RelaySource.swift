package import EventLoop
package import Media

/// Where a live stream's messages leave the publisher's loop for the loops that have players.
///
/// Confined to whoever holds the stream. The messages of one turn go to each loop as one piece of
/// mail.
package final class RelaySource {
  package let key: StreamKey
  private var group: GroupOfPictures
  private var pending: [RelayMessage] = []
  private var targets: [LoopMailbox] = []

  package init(_ key: StreamKey, gopCacheBytes: Int) {
    self.key = key
    group = GroupOfPictures(limitBytes: gopCacheBytes)
  }

  /// Whether any loop listens, so that a flush is worth while.
  package var hasTargets: Bool { !targets.isEmpty }

  /// Takes the next message; it leaves with `flush()`.
  package func append(_ message: RelayMessage) {
    group.append(message)
    if hasTargets { pending.append(message) }
  }

  /// Sends what this turn brought.
  package func flush() {
    guard !pending.isEmpty else { return }
    let batch = pending
    pending.removeAll(keepingCapacity: true)
    for target in targets { send(.messages(batch), to: target) }
  }

  /// Adds a loop that has players; it gets the start of the current group at once.
  package func add(_ target: LoopMailbox) {
    flush()
    if !targets.contains(where: { $0 === target }) { targets.append(target) }
    send(.start(group.start), to: target)
  }

  /// Takes a loop away whose last player has left.
  package func remove(_ target: LoopMailbox) {
    targets.removeAll { $0 === target }
    if targets.isEmpty { pending.removeAll() }
  }

  /// The publisher has gone; players wait for the next one, or are told that it is over.
  package func interrupt(isOver: Bool) {
    flush()
    for target in targets { send(isOver ? .over : .interrupted, to: target) }
    targets.removeAll()
    group.removeAll()
  }

  private func send(_ event: RelayEvent, to target: LoopMailbox) {
    let key = key
    target.submit { loop in loop.local(RelayTable.self)?.deliver(event, of: key) }
  }
}

/// What the source of a stream tells a loop that has players of it.
enum RelayEvent: Sendable {
  /// Headers and the group so far: the source has begun to send to this loop.
  case start([RelayMessage])
  case messages([RelayMessage])
  /// The publisher is lost and may come back.
  case interrupted
  /// The stream has ended.
  case over
}
