import Bytes
import EventLoop
import Glibc
import TLS

/// One side of a connection that is handed on: its socket, TLS where it speaks that, and what it
/// hasn't taken yet of what was copied for it.
///
/// That is bounded by whoever reads the other side: nothing more is read while something waits
/// here.
final class ProxyEnd: Channel {
  enum Side { case client, origin }

  let side: Side
  let tls: TLSSession?
  /// Until the connection is over.
  var owner: ProxiedConnection?
  /// Whether all that it has to say was read.
  var hasEnded = false
  /// Whether a connection that was begun has come about.
  var isConnected: Bool
  private var queue = SendQueue()
  /// Why nothing can be sent any more (errno).
  private var failure: Int32?
  /// Whether `flow.gather` raised how much it takes to be told of bytes.
  private(set) var isGathering = false

  init(
    _ socket: consuming Socket, _ side: Side, tls: TLSSession?, isConnected: Bool, on loop: Loop
  ) {
    self.side = side
    self.tls = tls
    self.isConnected = isConnected
    super.init(socket, on: loop)
  }

  // MARK: Reading

  /// Reads once, and lends the plaintext out for the length of `body`.
  ///
  /// - Returns: `.bytes` of what the socket had, `.closed` at its end; TLS that fails is `EPROTO`.
  func receive(_ body: (borrowing Span<UInt8>) -> Void) -> IOResult {
    guard let tls else { return loop.receive(self, body) }
    var isOver = false
    let result = loop.receive(self) { bytes in
      isOver = tls.receive(bytes, plaintext: body) == .closed
    }
    if tls.hasPendingOutput { _ = flushOut() }
    if isOver {
      switch tls.closeReason {
      case .closeNotify, .local, nil: return .closed
      default: return .failed(EPROTO)
      }
    }
    if case .closed = result { tls.receiveEnd() }
    return result
  }

  /// Whether nothing can be said to this side any more, as its TLS ends both ways at once.
  var isDeaf: Bool { tls?.closeReason != nil }

  /// Lets the kernel gather bytes before it says that there are some, or not.
  func gather(_ bytes: Int?) {
    isGathering = bytes != nil
    setReceiveLowWater(bytes ?? 1)
  }

  // MARK: Writing

  /// Sends bytes, or keeps a copy of what the socket doesn't take now.
  ///
  /// Those for a side that is deaf are dropped.
  func put(_ bytes: borrowing Span<UInt8>) {
    var taken = 0
    if let tls {
      guard tls.closeReason == nil else { return }
      if queue.isEmpty, case .done(let count) = tls.write(bytes) { taken = count }
    } else if queue.isEmpty, failure == nil {
      // The span outlives the call.
      switch unsafe bytes.withUnsafeBytes({ unsafe SystemCall.send(descriptor, $0) }) {
      case .bytes(let count): taken = count
      case .wouldBlock, .closed: break
      case .failed(let error): failure = error
      }
    }
    guard taken < bytes.count else { return }
    var rest: [UInt8] = []
    rest.append(copying: bytes.extracting(droppingFirst: taken))
    queue.append(rest)
  }

  /// Sends what waits.
  ///
  /// - Returns: `.bytes` once nothing waits, `.wouldBlock`, or `.failed`.
  func flushOut() -> IOResult {
    if let failure { return .failed(failure) }
    guard let tls else { return queue.isEmpty ? .bytes(0) : queue.flush(to: descriptor) }
    while true {
      if !tls.isHandshaking {
        queue.drain { bytes in
          if case .done(let count) = tls.write(bytes) { count } else { 0 }
        }
      }
      guard tls.hasPendingOutput else { break }
      let result = tls.withOutput { output in
        // Lent by the session for the length of the call.
        unsafe output.withUnsafeBytes { unsafe SystemCall.send(descriptor, $0) }
      }
      switch result {
      case .bytes(let count): tls.consumeOutput(count)
      case .wouldBlock, .closed: return .wouldBlock
      case .failed: return result
      }
    }
    if tls.closeReason != nil { queue.removeAll() }
    return .bytes(0)
  }

  /// Says that nothing more will come; to be called again, when it is writable, until it has been
  /// said.
  ///
  /// - Returns: as `flushOut`.
  func finishWriting() -> IOResult {
    if let tls, !tls.hasShutDown { tls.shutdown() }
    let result = flushOut()
    guard case .bytes = result else { return result }
    return Glibc.shutdown(descriptor, Int32(SHUT_WR)) == 0 ? result : .failed(errno)
  }

  // MARK: Events

  override func readable() { owner?.readable(self) }

  override func writable() { owner?.writable(self) }

  override func timedOut() { owner?.timedOut(self) }
}
