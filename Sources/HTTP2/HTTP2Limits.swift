/// A bucket of tokens: what a peer may do at once, and how fast it may go on.
package struct Allowance: Equatable, Sendable {
  package var burst: Int
  package var perSecond: Int

  package init(burst: Int, perSecond: Int) {
    self.burst = burst
    self.perSecond = perSecond
  }
}

/// What an HTTP/2 peer may ask of one connection; beyond it the connection is told
/// ENHANCE_YOUR_CALM and closed.
package struct HTTP2Limits: Equatable, Sendable {
  package var concurrentStreams = 100
  /// CONTINUATION frames after one HEADERS frame.
  package var continuations = 8
  /// RST_STREAM frames received (Rapid Reset, CVE-2023-44487).
  package var resetsReceived = Allowance(burst: 200, perSecond: 20)
  /// RST_STREAM frames that the peer's faults made us send (MadeYouReset, CVE-2025-8671).
  package var resetsSent = Allowance(burst: 50, perSecond: 5)
  package var settings = Allowance(burst: 20, perSecond: 1)
  package var pings = Allowance(burst: 50, perSecond: 5)
  package var priorities = Allowance(burst: 400, perSecond: 50)
  /// DATA and CONTINUATION frames that carry nothing and end nothing, and frames of unknown type.
  package var emptyFrames = Allowance(burst: 50, perSecond: 5)
  /// WINDOW_UPDATE frames; each KiB sent allows one more.
  package var windowUpdates = Allowance(burst: 2000, perSecond: 200)

  package init() {}
}

/// Which budget a peer has used up; the name is a counter's label.
package enum HTTP2Violation: String, CaseIterable, Equatable, Sendable {
  case headerList = "header_list"
  case continuations
  case resetsReceived = "resets_received"
  case resetsSent = "resets_sent"
  case settings
  case pings
  case priorities
  case emptyFrames = "empty_frames"
  case windowUpdates = "window_updates"
  /// libnghttp2's own flood checks: acknowledgements that pile up, SETTINGS with endless entries.
  case flooded
  /// More of a stream that the peer has itself ended.
  case closedStream = "closed_stream"
  /// The bytes are not HTTP/2.
  case protocolError = "protocol_error"
  /// Out of memory.
  case failure
}

/// The tokens left of one allowance.
struct Budget {
  private var tokens: Int
  private var updated: UInt64 = 0

  init(_ allowance: Allowance) { tokens = allowance.burst }

  /// Takes one token; false where there is none.
  mutating func take(_ allowance: Allowance, now: UInt64) -> Bool {
    if tokens <= 0 || now &- updated > 1000 {
      let earned = Int(clamping: now &- updated) / 1000 * allowance.perSecond
      if earned > 0 {
        tokens = min(allowance.burst, tokens + earned)
        updated = now
      }
    }
    guard tokens > 0 else { return false }
    tokens -= 1
    return true
  }

  /// Adds tokens, up to the burst.
  mutating func grant(_ count: Int, _ allowance: Allowance) {
    tokens = min(allowance.burst, tokens + count)
  }
}
