import EventLoop
import Glibc
import TLS

/// One connection to one address: a socket, TLS where it is wanted, and the session.
///
/// Whatever a turn sends goes out at its end together, which is what makes pipelines. A server that
/// is silent while it owes a reply is taken for dead.
final class RedisConnection: Channel {
  /// Who is told; nothing is called after `ended`.
  struct Owner {
    let happened: (RedisSession.Event) -> Void
    let ended: (RedisLoss) -> Void
  }

  struct Patience {
    let connect: Duration
    let pingAfter: Duration
    let silence: Duration
    let reply: Duration

    init(_ configuration: RedisConfiguration) {
      connect = configuration.connectDeadline
      pingAfter = configuration.pingAfter
      silence = configuration.silenceLimit
      reply = configuration.replyLimit
    }
  }

  private let session: RedisSession
  private let tls: TLSSession?
  private let patience: Patience
  private var owner: Owner?
  private var stage = RedisLoss.Stage.connecting
  private var outgoing: [UInt8] = []
  private var queue = SendQueue()
  /// Bytes that were given to this connection.
  private(set) var writtenBytes: UInt64 = 0
  /// When bytes, and when a whole reply, came last, or the first reply became due.
  private var heard = MonotonicTime.now
  private var replied = MonotonicTime.now

  /// Makes a connection of a socket on its way; add it to the loop, then `begin()`.
  init(
    _ socket: consuming Socket, on loop: Loop, session: RedisSession, tls: TLSSession?,
    patience: Patience, owner: Owner
  ) {
    self.session = session
    self.tls = tls
    self.patience = patience
    self.owner = owner
    super.init(socket, on: loop)
  }

  /// Bytes that have left it, for the kernel or for TLS.
  var sentBytes: UInt64 { writtenBytes - UInt64(unsentBytes) }

  /// Bytes that wait for the socket.
  var unsentBytes: Int { outgoing.count + queue.count }

  /// Replies that are due.
  var awaitedReplies: Int { session.awaitedReplies }

  func begin() { loop.setDeadline(self, .now + patience.connect) }

  // MARK: Sending

  /// Lets the session write; it goes out at the end of the turn.
  func write(_ body: (RedisSession, inout [UInt8]) -> Bool) {
    guard !isClosed else { return }
    let before = outgoing.count
    let isFirst = session.awaitedReplies == 0
    guard body(session, &outgoing) else { return end(.violated("out of memory")) }
    writtenBytes += UInt64(outgoing.count - before)
    if isFirst {
      heard = .now
      replied = heard
      if stage == .open { watch() }
    }
    loop.flushLater(self)
  }

  // MARK: The socket

  override func writable() {
    guard stage != .connecting || connected() else { return }
    // Room after the socket was full: the server's side has taken something, so it lives.
    if !queue.isEmpty { heard = loop.now }
    pump()
  }

  override func readable() {
    guard stage != .connecting || connected() else { return }
    // A turn takes at most this many scratch buffers, so that others have theirs.
    for _ in 0..<8 {
      guard !isClosed else { return }
      switch loop.receive(self, { take($0) }) {
      case .bytes(let count): if count < loop.scratchBytes, !hasHungUp { return }
      case .wouldBlock: return
      case .closed:
        tls?.receiveEnd()
        return end(.closedByServer)
      case .failed(let error): return end(.broken(SystemError("recv", error)))
      }
    }
    loop.again(self)
  }

  override func flush() {
    guard stage != .connecting else { return }
    pump()
  }

  /// Whether the socket is connected by now; ends it where it can't be.
  private func connected() -> Bool {
    let socket = Socket(owning: descriptor)
    let error = socket.pendingError
    _ = socket.release()
    guard error == 0 else {
      end(.unreachable(SystemError("connect", error), at: session.address))
      return false
    }
    stage = tls == nil ? .opening : .securing
    if tls == nil { write { session, output in session.start(into: &output) } }
    return !isClosed
  }

  private func take(_ bytes: borrowing Span<UInt8>) {
    heard = loop.now
    guard let tls else { return read(bytes) }
    let wasHandshaking = tls.isHandshaking
    let progress = tls.receive(bytes) { read($0) }
    guard !isClosed else { return }
    if wasHandshaking, !tls.isHandshaking, tls.closeReason == nil {
      stage = .opening
      write { session, output in session.start(into: &output) }
    }
    if tls.hasPendingOutput { loop.flushLater(self) }
    guard progress == .closed else { return }
    pump()
    guard !isClosed else { return }
    end(stage == .securing ? .insecure(Self.words(tls)) : .closedByServer)
  }

  private static func words(_ tls: TLSSession) -> String {
    tls.verificationFailure.map { "the server's certificate is refused: \($0)" }
      ?? "\(tls.closeReason?.rawValue ?? "closed")"
  }

  private func read(_ bytes: borrowing Span<UInt8>) {
    guard !isClosed else { return }
    do throws(RedisLoss) {
      try session.receive(bytes)
      while !isClosed, let event = try session.next() {
        replied = loop.now
        if case .opened = event { stage = .open }
        owner?.happened(event)
      }
    } catch {
      return end(error)
    }
    if stage == .open { watch() }
  }

  private func pump() {
    guard !isClosed else { return }
    if !outgoing.isEmpty {
      queue.append(outgoing)
      outgoing = []
    }
    if let tls { pump(through: tls) } else { pumpPlain() }
  }

  private func pumpPlain() {
    if case .failed(let error) = queue.flush(to: descriptor) {
      end(.broken(SystemError("send", error)))
    }
  }

  private func pump(through tls: TLSSession) {
    while true {
      if !tls.isHandshaking {
        queue.drain { bytes in
          if case .done(let count) = tls.write(bytes) { count } else { 0 }
        }
      }
      guard tls.hasPendingOutput else { return }
      let descriptor = descriptor
      let result = tls.withOutput { bytes in
        unsafe bytes.withUnsafeBytes { unsafe SystemCall.send(descriptor, $0) }
      }
      switch result {
      case .bytes(let count): tls.consumeOutput(count)
      case .wouldBlock: return
      case .closed: return end(.closedByServer)
      case .failed(let error): return end(.broken(SystemError("send", error)))
      }
    }
  }

  // MARK: Patience

  /// Sets the deadline for whatever is due next.
  private func watch() {
    guard !isClosed else { return }
    if session.awaitedReplies == 0 {
      loop.setDeadline(self, heard + patience.pingAfter)
    } else {
      loop.setDeadline(self, min(heard + patience.silence, replied + patience.reply))
    }
  }

  override func timedOut() {
    guard stage == .open else { return end(.silent(stage, at: session.address)) }
    let now = loop.now
    if session.awaitedReplies == 0 {
      if heard + patience.pingAfter <= now {
        write { session, output in session.ping(into: &output) }
      }
    } else if heard + patience.silence <= now || replied + patience.reply <= now {
      return end(.silent(.open, at: session.address))
    }
    watch()
  }

  // MARK: The end

  /// The loop has ended with this connection on it.
  override func closed() { end(.closed) }

  /// Closes the socket and tells the owner, once.
  func end(_ loss: RedisLoss) {
    guard let owner else { return }
    self.owner = nil
    if let tls, loss == .closed || loss == .primaryMoved {
      tls.shutdown()
      let descriptor = descriptor
      _ = tls.withOutput { bytes in
        unsafe bytes.withUnsafeBytes { unsafe SystemCall.send(descriptor, $0) }
      }
    }
    loop.close(self)
    owner.ended(loss)
  }
}
