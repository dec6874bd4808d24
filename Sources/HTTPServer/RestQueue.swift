import EventLoop

/// Connections that have become idle, until they have been so for a while and can do with less
/// memory.
///
/// Each is in it once at most, whatever it does meanwhile: a request costs nothing here.
struct RestQueue {
  /// One in the queue.
  struct Entry {
    let connection: ChannelID
    /// Its requests when it was last seen: one more, and it was not idle all the time.
    let requests: Int
  }

  /// What has become of one.
  enum Finding {
    /// It has done something, and is idle again.
    case idleAgain
    case rests
    /// It is at work, and comes back by itself; or it has nothing to give.
    case leaves
  }

  private var entries: [Entry] = []

  var isEmpty: Bool { entries.isEmpty }

  mutating func add(_ entry: Entry) { entries.append(entry) }

  /// Takes out all that there are.
  mutating func take() -> [Entry] {
    defer { entries = [] }
    return entries
  }
}
