/// How many viewers asked one loop for a stream's playlist of late.
///
/// A viewer is whoever has the same address, agent and token; only a 64-bit hash of those is kept,
/// and when it was last seen. Open addressing in one array: a request costs a probe or two.
struct ViewerCounter {
  /// Viewers who asked within so many seconds are counted; players ask every few seconds.
  private static let memorySeconds: UInt64 = 15
  /// Up to 65,536 viewers are told apart; who asks under ever new names makes it no larger.
  private static let maximumSize = 1 << 17

  private struct Seen {
    var viewer: UInt64 = 0
    var second: UInt64 = 0
  }

  private var table: [Seen] = []
  private var used = 0
  /// When it was last found to be full.
  private var lastFull: UInt64?

  /// Notes a request of a viewer.
  mutating func note(_ viewer: UInt64, now second: UInt64) {
    let viewer = viewer == 0 ? 1 : viewer
    let hasRoom = used * 2 < table.count || grow(second)
    let mask = table.count - 1
    var index = Int(truncatingIfNeeded: viewer) & mask
    while table[index].viewer != 0, table[index].viewer != viewer { index = (index + 1) & mask }
    if table[index].viewer == 0 {
      guard hasRoom else { return }
      used += 1
    }
    table[index] = Seen(viewer: viewer, second: second)
  }

  /// How many viewers have asked within the last seconds.
  func count(now second: UInt64) -> Int {
    table.count { $0.viewer != 0 && $0.second + Self.memorySeconds >= second }
  }

  /// Makes room: forgets who is gone, and doubles the table where that is not enough.
  ///
  /// - Returns: false where it is as large as it may be, and all are present.
  private mutating func grow(_ second: UInt64) -> Bool {
    if table.count == Self.maximumSize, lastFull == second { return false }
    let present = table.filter { $0.viewer != 0 && $0.second + Self.memorySeconds >= second }
    var size = 16
    while size < present.count * 4, size < Self.maximumSize { size *= 2 }
    // Looked at once a second at most while it is full: each look goes through all of it.
    if present.count * 2 >= size {
      lastFull = second
      return false
    }
    table = Array(repeating: Seen(), count: size)
    used = 0
    for seen in present { note(seen.viewer, now: seen.second) }
    return true
  }
}
