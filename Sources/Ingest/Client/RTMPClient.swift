import Bytes
package import EventLoop
import Glibc
package import RTMP
package import TLS

/// One connection as an RTMP client: a socket, TLS where it is wanted, and the session.
///
/// Whoever publishes or relays subclasses it; nothing is called after `ended(_:)`.
package class RTMPClient: Channel {
  /// How long the server may take.
  package struct Timeouts: Equatable, Sendable {
    /// For connection, TLS and RTMP together, until the stream is open.
    package var start = Duration.seconds(15)
    /// To take something of what waits for it.
    package var stall = Duration.seconds(20)
    /// To close its side after the end has been said; nothing: ours closes at once.
    ///
    /// Closed while there are answers nobody read, the kernel would reset the connection, and what
    /// is on its way would be lost.
    package var linger = Duration.zero

    package init() {}
  }

  package let session: ClientSession
  package private(set) var stage = ClientEnd.Stage.connecting
  /// Bytes that the socket has taken.
  package private(set) var sentBytes: UInt64 = 0
  /// Bytes that came from the socket.
  package private(set) var receivedBytes: UInt64 = 0
  /// Bytes that were queued for the socket, TLS and the preamble left out.
  private var queuedBytes: UInt64 = 0
  private let tls: TLSSession?
  /// What goes out before anything else, and before TLS.
  private let preamble: [UInt8]
  private let timeouts: Timeouts
  /// What this turn has to say; it goes out together.
  private var outgoing: [UInt8] = []
  private var queue = SendQueue()
  /// Whether the end has been said, and only what waits still goes out.
  final private(set) var isFinishing = false
  private var isLingering = false
  /// Whether the server has let go of the stream, and the socket is open for what it still says.
  package final var isKept: Bool { awaitsRelease && session.isReleased && !isClosed }
  /// Whether the socket stays open until the server says that it has let go of the stream, and
  /// longer where a subclass wants that.
  private var awaitsRelease = false
  private var isReleaseTold = false
  private var releaseBy: MonotonicTime?
  /// Whether the socket has left something, and a deadline for it runs.
  private var isStalled = false
  private var hasEnded = false

  /// Makes a client of a socket on its way to a server.
  ///
  /// - Parameters:
  ///   - socket: from `Socket.connecting(to:)`.
  ///   - loop: where it lives; add it there.
  ///   - session: of the stream.
  ///   - tls: the client's end, for `rtmps`.
  ///   - timeouts: for the server.
  ///   - preamble: sent before TLS and RTMP: a PROXY header.
  package init(
    _ socket: consuming Socket, on loop: Loop, session: ClientSession, tls: TLSSession?,
    timeouts: Timeouts = Timeouts(), preamble: [UInt8] = []
  ) {
    self.session = session
    self.tls = tls
    self.preamble = preamble
    self.timeouts = timeouts
    super.init(socket, on: loop)
  }

  // MARK: For subclasses

  /// The stream is open: media may be sent, or comes.
  func started() {}

  /// Media or anything else of the stream came.
  func received(_ event: ClientEvent) {}

  /// All that waited has gone out.
  func drained() {}

  /// The server has said that it has let go of the stream, which `finish` waited for: it is over
  /// now.
  ///
  /// A subclass that doesn't call this keeps the socket until `finish()`, or the server, ends it.
  func released() { finish() }

  /// It is over; the socket is closed.
  func ended(_ end: ClientEnd) {}

  // MARK: Sending

  /// Bytes that wait for the socket.
  package final var waitingBytes: Int {
    outgoing.count + queue.count + (tls?.pendingOutputBytes ?? 0)
  }

  /// Bytes of RTMP that were written, whether they have gone out or not: what `session.readBytes`
  /// comes to.
  package final var writtenBytes: UInt64 { queuedBytes + UInt64(outgoing.count) }

  /// Lets the session write; it goes out at the end of the turn.
  package final func write(_ body: (ClientSession, inout [UInt8]) -> Void) {
    guard !isClosed else { return }
    body(session, &outgoing)
    if !outgoing.isEmpty { loop.flushLater(self) }
  }

  /// Payloads from this size on go out as they are; smaller ones are cheaper to copy.
  private static let uncopiedBytes = 2048

  /// Sends a message of a stream that is open; its payload is shared, not copied, where it is
  /// large.
  package final func forward(_ type: MessageType, timestamp: UInt32, payload: [UInt8]) {
    guard !isClosed else { return }
    let isShared =
      payload.count >= Self.uncopiedBytes
      && session.sendHeader(
        type, timestamp: timestamp, payloadBytes: payload.count, into: &outgoing)
    if isShared {
      queueOutgoing()
      queue.append(payload)
      queuedBytes += UInt64(payload.count)
    } else {
      session.send(type, timestamp: timestamp, payload: payload.span, into: &outgoing)
    }
    loop.flushLater(self)
  }

  /// Watches over a connection that was added to its loop.
  package final func begin() {
    loop.setDeadline(self, .now + timeouts.start)
  }

  /// Ends the stream politely: what waits still goes out, then the socket closes.
  ///
  /// - Parameters:
  ///   - saysSo: whether the server hears that the stream is over, or only loses it.
  ///   - patience: how long its answer to that is waited for, which `released()` then hears of;
  ///     nil: it isn't, nor for anything else.
  package final func finish(saysSo: Bool = true, awaitingReleaseFor patience: Duration? = nil) {
    guard !isClosed else { return }
    guard !isFinishing else {
      if patience == nil, awaitsRelease {
        awaitsRelease = false
        loop.flushLater(self)
      }
      return
    }
    guard session.isStarted else { return end(.finished) }
    if saysSo, let patience {
      awaitsRelease = true
      releaseBy = .now + patience
      loop.setDeadline(self, releaseBy)
    }
    if saysSo { write { session, output in session.close(into: &output) } }
    isFinishing = true
    loop.flushLater(self)
  }

  // MARK: The socket

  override package final func writable() {
    if stage == .connecting {
      guard connected() else { return }
    }
    pump()
  }

  override package final func readable() {
    if stage == .connecting {
      guard connected() else { return }
    }
    // A turn takes at most this many scratch buffers, so that others have theirs.
    for _ in 0..<16 {
      guard !isClosed else { return }
      switch loop.receive(self, { if !isLingering { take($0) } }) {
      case .bytes(let count):
        receivedBytes &+= UInt64(count)
        if count < loop.scratchBytes, !hasHungUp { return }
      case .wouldBlock: return
      case .closed, .failed:
        if !isLingering { tls?.receiveEnd() }
        return end(isFinishing && !isKept ? .finished : .lost(stage))
      }
    }
    loop.again(self)
  }

  override package final func flush() {
    if !outgoing.isEmpty { queueOutgoing() }
    pump()
  }

  private func queueOutgoing() {
    queuedBytes += UInt64(outgoing.count)
    queue.append(outgoing)
    outgoing = []
  }

  override package final func timedOut() {
    end(isFinishing ? .finished : .timedOut(stage))
  }

  /// Whether the socket is connected by now; ends it where it can't be.
  private func connected() -> Bool {
    let socket = Socket(owning: descriptor)
    let error = socket.pendingError
    _ = socket.release()
    guard error == 0 else {
      end(.unreachable(SystemError("connect", error)))
      return false
    }
    if !preamble.isEmpty {
      // A socket that has just been connected has room for it.
      let result = unsafe preamble.withUnsafeBytes { unsafe SystemCall.send(descriptor, $0) }
      guard result == .bytes(preamble.count) else {
        end(.lost(.connecting))
        return false
      }
    }
    stage = tls == nil ? .requesting : .securing
    if tls == nil { write { session, output in session.start(into: &output) } }
    return true
  }

  private func take(_ bytes: borrowing Span<UInt8>) {
    guard let tls else { return read(bytes) }
    let wasHandshaking = tls.isHandshaking
    let progress = tls.receive(bytes) { read($0) }
    if wasHandshaking, !tls.isHandshaking, tls.closeReason == nil {
      stage = .requesting
      write { session, output in session.start(into: &output) }
    }
    if tls.hasPendingOutput { loop.flushLater(self) }
    if progress == .closed, !isClosed {
      pump()
      guard !isClosed else { return }
      if isFinishing, !isKept { return end(.finished) }
      end(stage == .securing ? .insecure(words(of: tls)) : .lost(stage))
    }
  }

  private func words(of tls: TLSSession) -> String {
    tls.verificationFailure.map { "the server's certificate is refused: \($0)" }
      ?? "\(tls.closeReason?.rawValue ?? "closed")"
  }

  private func read(_ bytes: borrowing Span<UInt8>) {
    var cursor = ByteCursor()
    do throws(ProtocolError) {
      while !isClosed, let event = try session.receive(bytes, &cursor, into: &outgoing) {
        handle(event)
      }
    } catch {
      return end(.violated(error))
    }
    if isKept, !isReleaseTold {
      isReleaseTold = true
      releaseBy = nil
      loop.setDeadline(self, nil)
      released()
    }
    if !outgoing.isEmpty, !isClosed { loop.flushLater(self) }
  }

  private func handle(_ event: ClientEvent) {
    switch event {
    case .started:
      stage = .streaming
      loop.setDeadline(self, nil)
      started()
    case .refused(let status): end(.refused(status))
    case .ended(let status): end(isFinishing ? .finished : .ended(status))
    default: received(event)
    }
  }

  // MARK: Sending

  private func pump() {
    guard !isClosed, stage != .connecting else { return }
    let before = sentBytes
    let isDry = tls.map { pump(through: $0) } ?? pumpPlain()
    guard !isClosed else { return }
    if isDry {
      if stage == .streaming, isStalled { loop.setDeadline(self, releaseBy) }
      isStalled = false
      // What this turn still has to say comes with its flush.
      if isFinishing { return outgoing.isEmpty ? linger() : () }
      if sentBytes != before { drained() }
    } else if stage == .streaming, sentBytes != before || !isStalled {
      isStalled = true
      let stall = MonotonicTime.now + timeouts.stall
      loop.setDeadline(self, releaseBy.map { min($0, stall) } ?? stall)
    }
  }

  /// Says that nothing more will come, and waits for the server to say the same.
  private func linger() {
    guard !isLingering, !awaitsRelease else { return }
    if timeouts.linger > .zero, let tls, !tls.hasShutDown {
      tls.shutdown()
      guard pump(through: tls) else { return }
    }
    isLingering = true
    guard timeouts.linger > .zero, !isClosed, Glibc.shutdown(descriptor, Int32(SHUT_WR)) == 0 else {
      return end(.finished)
    }
    loop.setDeadline(self, .now + timeouts.linger)
    loop.again(self)
  }

  /// Sends what waits; whether nothing is left.
  private func pumpPlain() -> Bool {
    let before = queue.count
    let result = queue.flush(to: descriptor)
    sentBytes += UInt64(before - queue.count)
    if case .failed = result { end(.lost(stage)) }
    return queue.isEmpty
  }

  private func pump(through tls: TLSSession) -> Bool {
    while true {
      if !tls.isHandshaking {
        queue.drain { bytes in
          if case .done(let count) = tls.write(bytes) { count } else { 0 }
        }
      }
      guard tls.hasPendingOutput else { return queue.isEmpty }
      let result = tls.withOutput { bytes in
        unsafe bytes.withUnsafeBytes { unsafe SystemCall.send(descriptor, $0) }
      }
      switch result {
      case .bytes(let count):
        tls.consumeOutput(count)
        sentBytes += UInt64(count)
      case .wouldBlock: return false
      case .closed, .failed:
        end(.lost(stage))
        return false
      }
    }
  }

  // MARK: The end

  /// Closes the socket and tells how it came.
  package final func end(_ end: ClientEnd) {
    guard !hasEnded else { return }
    hasEnded = true
    if let tls, end == .finished, !tls.hasShutDown {
      tls.shutdown()
      _ = tls.withOutput { bytes in
        unsafe bytes.withUnsafeBytes { unsafe SystemCall.send(descriptor, $0) }
      }
    }
    loop.close(self)
    ended(end)
  }
}
