import EventLoop

/// More than this of a publisher's bytes are taken before their time has come.
private let lowWaterBytes = 64 << 10

/// Messages of publishers are taken together, every `rtmp.coalesce`.
extension RTMPConnection {
  var isCoalescing: Bool { isPublishing && server.configuration.coalesce > .zero }

  /// The next moment at which publishers are read: the same for all of a loop, so that one turn
  /// serves them all.
  var nextTaking: MonotonicTime {
    let step = UInt64(max(1, server.configuration.coalesce.nanoseconds))
    return MonotonicTime(nanoseconds: (loop.now.nanoseconds / step + 1) * step)
  }

  func beginToCoalesce() {
    guard isCoalescing else { return }
    setReceiveLowWater(lowWaterBytes)
    loop.setDeadline(self, nextTaking)
  }
}
