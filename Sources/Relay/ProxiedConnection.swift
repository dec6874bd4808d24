import Bytes
import EventLoop
import Glibc
import TLS

/// A client and the origin that it was given, whose bytes go both ways without being understood.
///
/// While one side takes nothing, at most what one pipe or one read holds waits for it, and the
/// other side isn't read: the kernel makes it wait.
final class ProxiedConnection {
  enum Stage {
    /// The client's PROXY header and TLS handshake.
    case greeting
    case connecting
    case open
    case over
  }

  /// How often one turn reads from one side before the others have theirs.
  private static let roundsPerTurn = 8

  let id: UInt64
  let client: ProxyEnd
  unowned let proxy: TCPProxy
  /// The client, as a trusted balancer told, or the socket's peer.
  private(set) var peer: SocketAddress
  private(set) var stage = Stage.greeting
  /// What has come of a PROXY header that is not whole yet; nil where none is to come.
  private var header: [UInt8]?
  /// What came with the header or the handshake, for the origin.
  private var early: [UInt8] = []
  /// When the client was ready for an origin.
  var readyAt = MonotonicTime.now
  var target: RelayTarget?
  var candidates: [SocketAddress] = []
  /// Origins that didn't take it.
  var excluded: Set<String> = []
  var origin: ProxyEnd?
  /// The address of the origin that it is connected to.
  var approached = SocketAddress()
  /// What went wrong last, for a person.
  var words = ""
  private var up: ProxyFlow?
  private var down: ProxyFlow?
  private var movedAt = MonotonicTime.now
  /// When it is closed, whatever still comes.
  private var lingersUntil: MonotonicTime?

  init(
    _ id: UInt64, _ client: ProxyEnd, peer: SocketAddress, expectsHeader: Bool, _ proxy: TCPProxy
  ) {
    self.id = id
    self.client = client
    self.peer = peer
    self.proxy = proxy
    header = expectsHeader ? [] : nil
  }

  /// Begins; to be called once the loop knows the client.
  func begin() {
    client.owner = self
    guard header != nil || client.tls != nil else { return seek() }
    proxy.loop.setDeadline(client, .now + proxy.configuration.handshakeTimeout)
  }

  // MARK: Greeting

  /// Reads what has to come before an origin is asked.
  private func greet() {
    var result = IOResult.wouldBlock
    repeat {
      result = proxy.loop.receive(client) { greeted($0) }
      guard stage == .greeting else { return }
      if header == nil, client.tls?.isHandshaking != true { return seek() }
    } while result == .bytes(proxy.loop.scratchBytes) || (client.hasHungUp && result.hasBytes)
    switch result {
    case .bytes, .wouldBlock: return
    case .closed, .failed: end(.handshake, "the client left before it had begun")
    }
  }

  private func greeted(_ bytes: borrowing Span<UInt8>) {
    guard var header else { return secure(bytes) }
    header.append(copying: bytes)
    switch ProxyHeader.parse(header.span) {
    case .incomplete: self.header = header
    case .malformed: end(.handshake, "bad PROXY header")
    case .complete(let length, let source):
      self.header = nil
      if let source { peer = source }
      if length < header.count { secure(header.span.extracting(droppingFirst: length)) }
    }
  }

  private func secure(_ bytes: borrowing Span<UInt8>) {
    guard let tls = client.tls else { return early.append(copying: bytes) }
    let progress = tls.receive(bytes) { early.append(copying: $0) }
    if case .failed = client.flushOut() { return end(.clientLost, "the client left") }
    if progress == .closed { end(.handshake, "its TLS handshake failed") }
  }

  /// The client may have an origin: finds one.
  private func seek() {
    stage = .connecting
    readyAt = .now
    proxy.endHandshake(client.id)
    proxy.loop.setDeadline(client, nil)
    connect()
  }

  // MARK: Moving bytes

  /// The origin is there.
  func open(_ origin: ProxyEnd) {
    stage = .open
    movedAt = .now
    proxy.loop.setDeadline(origin, nil)
    proxy.loop.setDeadline(client, movedAt + proxy.configuration.idleTimeout)
    let metrics = proxy.metrics
    let up = ProxyFlow(from: client, to: origin, proxy, counter: metrics.bytesToOrigin)
    let down = ProxyFlow(from: origin, to: client, proxy, counter: metrics.bytesToClient)
    (self.up, self.down) = (up, down)
    if !early.isEmpty {
      up.counted(early.count)
      origin.put(early.span)
      early = []
    }
    pump(up)
    pump(down)
  }

  /// Moves what there is until one of both sides has to be waited for.
  private func pump(_ flow: ProxyFlow) {
    guard stage == .open, !flow.isDone else { return }
    for _ in 0..<Self.roundsPerTurn {
      guard hasDelivered(flow) else { return }
      if flow.source.hasEnded { return finish(flow) }
      switch flow.fill() {
      case .bytes: movedAt = proxy.loop.now
      case .wouldBlock:
        flow.rest()
        if !flow.source.isGathering, flow.bytes > flow.gathersAt { proxy.gather(flow, of: self) }
        return
      case .closed: flow.source.hasEnded = true
      case .failed(EMFILE): return end(.exhausted, "there is no descriptor left for a pipe")
      case .failed(let error): return lost(flow.source, error)
      }
    }
    proxy.loop.again(flow.source)
  }

  /// Takes what has been gathered meanwhile, with as few calls as that takes.
  ///
  /// - Returns: whether it is worth going on.
  func pumpGathered(_ flow: ProxyFlow) -> Bool {
    guard stage == .open, !flow.isDone else { return false }
    guard !flow.isBlocked else { return true }
    // What the last turn had no time for goes first.
    guard hasDelivered(flow) else { return stage == .open }
    switch flow.fill() {
    case .bytes(let count):
      movedAt = proxy.loop.now
      flow.emptyTicks = 0
      if count >= flow.roomBytes / 4 {
        pump(flow)
      } else if hasDelivered(flow) {
        flow.rest()
      }
    case .wouldBlock:
      flow.rest()
      flow.emptyTicks += 1
    case .closed, .failed: pump(flow)
    }
    return stage == .open
  }

  /// Hands on what waits; false where the sink doesn't take it all, or is lost.
  private func hasDelivered(_ flow: ProxyFlow) -> Bool {
    switch flow.deliver() {
    case .bytes:
      flow.isBlocked = false
      return true
    case .wouldBlock, .closed: flow.isBlocked = true
    case .failed(let error): lost(flow.sink, error)
    }
    return false
  }

  /// Passes the end of one side on; the other way goes on.
  private func finish(_ flow: ProxyFlow) {
    flow.rest()
    switch flow.sink.finishWriting() {
    case .bytes: flow.isDone = true
    case .wouldBlock, .closed: return flow.isBlocked = true
    case .failed(let error): return lost(flow.sink, error)
    }
    if up?.isDone == true, down?.isDone == true { return end(.finished) }
    // TLS ends both ways at once: what the other side still says has nowhere to go, and is read so
    // that what it was sent last isn't lost with a reset.
    guard flow.source.isDeaf, lingersUntil == nil else { return }
    lingersUntil = proxy.loop.now + proxy.configuration.linger
    proxy.loop.setDeadline(client, lingersUntil)
  }

  /// A side was reset, or its network failed.
  private func lost(_ side: ProxyEnd, _ error: Int32) {
    if lingersUntil != nil { return end(.finished) }
    if side.side == .origin, let down, !down.isBlocked, !down.isDone {
      // Why, where it has said so.
      if case .bytes = down.deliver(), case .bytes = down.fill() { _ = down.deliver() }
    }
    let cause = error == EPROTO ? "TLS failed" : SystemError("connection", error).description
    end(side.side == .client ? .clientLost : .originLost, cause)
  }

  // MARK: Events

  func readable(_ end: ProxyEnd) {
    switch stage {
    case .greeting: greet()
    case .connecting: if end === origin { originSpoke(end) }
    case .open:
      guard let flow = end === client ? up : down else { return }
      // A sink that is full says when it isn't.
      if !flow.isBlocked { pump(flow) }
    case .over: break
    }
  }

  func writable(_ end: ProxyEnd) {
    switch stage {
    case .greeting: if case .failed = end.flushOut() { self.end(.clientLost, "the client left") }
    case .connecting:
      if end === origin {
        if end.isConnected { originSpoke(end) } else { connected(end) }
      } else {
        _ = end.flushOut()
      }
    case .open:
      if let flow = end === client ? down : up, flow.isBlocked { pump(flow) }
      if stage == .open, end.tls != nil { _ = end.flushOut() }
    case .over: break
    }
  }

  func timedOut(_ end: ProxyEnd) {
    switch stage {
    case .greeting: self.end(.handshake, "the client took too long to begin")
    case .connecting: if end === origin { failed("timed out", "it didn't answer in time") }
    case .open:
      if lingersUntil != nil { return self.end(.finished) }
      let until = movedAt + proxy.configuration.idleTimeout
      guard proxy.loop.now < until else { return self.end(.idle, "nothing moved for too long") }
      proxy.loop.setDeadline(client, until)
    case .over: break
    }
  }

  // MARK: The end

  /// Closes both sides, and lets go of everything; a second time changes nothing.
  func end(_ outcome: TCPProxyOutcome, _ cause: String = "") {
    guard stage != .over else { return }
    stage = .over
    if !cause.isEmpty { words = cause }
    up?.rest()
    down?.rest()
    for end in [client, origin] {
      guard let end else { continue }
      proxy.loop.close(end)
      end.owner = nil
    }
    let report = TCPProxyReport(
      outcome: outcome, client: peer, origin: target?.name, bytesToOrigin: up?.bytes ?? 0,
      bytesToClient: down?.bytes ?? 0, words: words)
    // What counts the connection is let go here.
    target = nil
    proxy.removed(self, report)
  }
}

extension IOResult {
  /// Whether something was read.
  fileprivate var hasBytes: Bool { if case .bytes = self { true } else { false } }
}
