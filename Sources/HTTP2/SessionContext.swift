import CNGHTTP2
import HTTPSemantics

/// What the C callbacks of one session reach: a struct, so nothing is retained per header.
@safe struct SessionContext {
  unowned(unsafe) let owner: any HTTP2SessionOwner
  let storage: UnsafeMutablePointer<HTTP2Workspace.Storage>
  /// Where libnghttp2 finds streams; nil where that isn't known.
  var table: UnsafeMutableRawPointer?
  /// The request whose header block is being read.
  var pooled: UnsafeMutablePointer<HTTP2Workspace.PooledRequest>?
  var requestError: RequestError?
  var fieldCount = 0
  var fieldBytes = 0
  var violation: HTTP2Violation?
  /// Milliseconds, as of the last `receive`.
  var now: UInt64 = 0
  var openStreams = 0
  var responses = 0
  /// Responses in use, linked through `next` and `previous`, for a session that ends early.
  var firstState: UnsafeMutablePointer<ResponseState>?

  /// Streams that are answered, and whose requests have not ended.
  var answered: [Int32] = []
  /// Bytes that came of such streams, and how many may before they are told to stop.
  var unwanted = 0
  static let mostUnwanted = 16_384
  /// Whether a client was told to go on: then a stream may have several heads.
  var hasContinued = false
  /// Whether no further stream is taken: then such streams are not waited for.
  var isShuttingDown = false

  private var scanner = FrameScanner()
  private var streams = PeerStreams()
  var resetsReceived: Budget
  var resetsSent: Budget
  /// Resets on their way that are charged already.
  var resetsCharged = 0
  var settings: Budget
  var pings: Budget
  var priorities: Budget
  var emptyFrames: Budget
  var windowUpdates: Budget
  /// Bytes sent that have not yet earned a WINDOW_UPDATE.
  var unearned = 0

  init(
    _ owner: any HTTP2SessionOwner, _ storage: UnsafeMutablePointer<HTTP2Workspace.Storage>
  ) {
    let limits = unsafe storage.pointee.limits
    unsafe self.owner = owner
    unsafe self.storage = storage
    resetsReceived = Budget(limits.resetsReceived)
    resetsSent = Budget(limits.resetsSent)
    settings = Budget(limits.settings)
    pings = Budget(limits.pings)
    priorities = Budget(limits.priorities)
    emptyFrames = Budget(limits.emptyFrames)
    windowUpdates = Budget(limits.windowUpdates)
  }

  /// Counts bytes sent: a peer that reads has reason to open its windows.
  mutating func sent(_ bytes: Int) {
    unearned += bytes
    guard unearned >= 1024 else { return }
    windowUpdates.grant(unearned >> 10, unsafe storage.pointee.limits.windowUpdates)
    unearned &= 1023
  }

  mutating func take() -> UnsafeMutablePointer<ResponseState> {
    let state = unsafe storage.pointee.takeStream()
    unsafe state.pointee.previous = nil
    unsafe state.pointee.next = firstState
    if let first = unsafe firstState { unsafe first.pointee.previous = state }
    unsafe firstState = state
    responses += 1
    return unsafe state
  }

  mutating func drop(_ state: UnsafeMutablePointer<ResponseState>) {
    let next = unsafe state.pointee.next
    if let previous = unsafe state.pointee.previous {
      unsafe previous.pointee.next = next
    } else {
      unsafe firstState = next
    }
    if let next = unsafe next { unsafe next.pointee.previous = state.pointee.previous }
    responses -= 1
    unsafe storage.pointee.give(state)
  }

  /// Judges every frame whose header ends in these bytes; false ends the session.
  mutating func admit(_ bytes: borrowing Span<UInt8>) -> Bool {
    // Taken out meanwhile: the judge changes the rest of the context.
    var scanner = scanner
    defer { self.scanner = scanner }
    return scanner.scan(bytes) { admit($0) }
  }

  /// Judges a frame by its header, before anything is done with it.
  private mutating func admit(_ header: FrameHead) -> Bool {
    if let violation = streams.judge(header) { return refuse(violation) }
    let limits = unsafe storage.pointee.limits
    switch UInt32(header.type) {
    case NGHTTP2_HEADERS.rawValue: return true
    case NGHTTP2_DATA.rawValue, NGHTTP2_CONTINUATION.rawValue:
      let end = UInt8(NGHTTP2_FLAG_END_STREAM.rawValue | NGHTTP2_FLAG_END_HEADERS.rawValue)
      guard header.length == 0, header.flags & end == 0 else { return true }
      return emptyFrames.take(limits.emptyFrames, now: now) || refuse(.emptyFrames)
    case NGHTTP2_WINDOW_UPDATE.rawValue:
      return windowUpdates.take(limits.windowUpdates, now: now) || refuse(.windowUpdates)
    case NGHTTP2_RST_STREAM.rawValue:
      return resetsReceived.take(limits.resetsReceived, now: now) || refuse(.resetsReceived)
    case NGHTTP2_SETTINGS.rawValue:
      if header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0 { return true }
      return settings.take(limits.settings, now: now) || refuse(.settings)
    case NGHTTP2_PING.rawValue:
      return pings.take(limits.pings, now: now) || refuse(.pings)
    case NGHTTP2_PRIORITY.rawValue where header.stream == header.dependency || header.stream == 0:
      // Of no use to us, which libnghttp2 was told: it takes no notice (RFC 9113, 6.3).
      return refuse(.protocolError)
    case NGHTTP2_PRIORITY.rawValue, NGHTTP2_PRIORITY_UPDATE.rawValue:
      return priorities.take(limits.priorities, now: now) || refuse(.priorities)
    default:
      return emptyFrames.take(limits.emptyFrames, now: now) || refuse(.emptyFrames)
    }
  }

  mutating func refuse(_ violation: HTTP2Violation) -> Bool {
    self.violation = violation
    return false
  }
}
