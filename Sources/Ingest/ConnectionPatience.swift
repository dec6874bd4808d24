import EventLoop

/// How long a client may be silent, may ask for nothing, and may take nothing of what it is sent.
struct ConnectionPatience {
  /// What a client is about, as far as it is given time for it.
  enum Doing {
    case nothing
    /// It has asked, and the answer has a deadline of its own.
    case waiting
    case publishing
    case playing
  }

  private(set) var lastMedia: MonotonicTime
  private var hasMedia = false
  private var idleSince: MonotonicTime
  private var sawProgressAt: MonotonicTime
  private var sent: UInt64 = 0

  init(now: MonotonicTime) {
    lastMedia = now
    idleSince = now
    sawProgressAt = now
  }

  /// It asks to publish.
  mutating func asked(_ now: MonotonicTime) {
    lastMedia = now
    hasMedia = false
  }

  /// It may publish; what it sent before counts.
  mutating func wasAdmitted(_ now: MonotonicTime) { lastMedia = now }

  mutating func sawMedia(_ now: MonotonicTime) {
    lastMedia = now
    hasMedia = true
  }

  /// It may be sending, and nobody reads.
  mutating func isHeldBack(_ now: MonotonicTime) { lastMedia = now }

  /// It publishes or plays no more, and may ask for something else.
  mutating func isFree(_ now: MonotonicTime) { idleSince = now }

  /// Whether its time is up.
  ///
  /// - Parameters:
  ///   - doing: what it is about.
  ///   - sent: all bytes that its socket has taken.
  ///   - queued: bytes that wait for its socket.
  ///   - now: the time.
  ///   - configuration: the deadlines.
  /// - Returns: the reason to close it, one of a fixed few; nil while it has time.
  mutating func end(
    of doing: Doing, sent: UInt64, queued: Int, now: MonotonicTime,
    _ configuration: IngestConfiguration
  ) -> String? {
    if sent != self.sent || queued == 0 {
      self.sent = sent
      sawProgressAt = now
    }
    switch doing {
    case .publishing:
      let patience = hasMedia ? configuration.idleTimeout : configuration.firstMediaTimeout
      if now - lastMedia > patience {
        return hasMedia ? "publisher is silent" : "publisher sent no media"
      }
    case .nothing:
      if now - idleSince > configuration.commandTimeout { return "asked for nothing" }
    case .waiting, .playing: break
    }
    return now - sawProgressAt > configuration.playerStallTimeout ? "takes nothing" : nil
  }
}
