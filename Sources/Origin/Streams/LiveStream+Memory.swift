import HLS
import Media

/// What a stream does as the node's memory runs out.
extension LiveStream {
  static let tooLarge =
    "this server's memory for streams is full, and this stream takes more than its share; "
    + "lower its bit rate, or connect to another server"

  /// Tells the node what the stream holds: segments, and the one that is being written.
  func account() {
    memory.hold(renditions.heldBytes + packager.runningBytes + (ladder?.keptBytes ?? 0))
  }

  /// Lets the oldest segments go where the node's memory runs out and this stream has more than its
  /// share; ends its publisher where that is not enough.
  ///
  /// - Returns: whether any went.
  @discardableResult
  func relieveMemory() -> Bool {
    account()
    let surplus = memory.surplus
    guard surplus > 0 || (!hasPublisher && memory.excess > 0) else { return false }
    var count = shorten(by: surplus, keeping: hasPublisher ? .live : .over)
    if hasPublisher, memory.mustEnd(now: now().milliseconds) {
      refuse(Self.tooLarge)
      count += shorten(by: .max, keeping: .over)
    } else if !hasPublisher, memory.excess > 0 {
      // Those that are live need what one that is over has left.
      count += shorten(by: memory.excess, keeping: .end)
    }
    memory.noteShortened(count)
    return count > 0
  }

  private func shorten(by bytes: Int, keeping rest: LiveWindow.Rest) -> Int {
    let count = renditions.shorten(by: bytes, keeping: rest, now: now())
    account()
    return count
  }
}
