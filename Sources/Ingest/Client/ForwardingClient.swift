package import EventLoop
package import RTMP
package import TLS

/// A connection that publishes somebody else's messages to a server, for an owner of another
/// target.
///
/// `RTMPClient` can be subclassed here alone, so it tells its owner by a closure.
package final class ForwardingClient: RTMPClient {
  package enum Event: Equatable, Sendable {
    /// The server takes the stream from here on; before it comes `.progressed` where it goes on
    /// with one that viewers have a part of.
    case started
    /// All that was sent has gone out.
    case drained
    /// The server goes away soon.
    case reconnectRequested
    /// How far the server's viewers have the stream.
    case progressed(RelayProgress)
    /// The server has heard the end that `finish` has said, and waited for: the connection stays,
    /// and is watched over, until `finish` is called once more.
    case released
    /// It is over, for whatever reason; the last event.
    case ended(ClientEnd)
  }

  private var onEvent: (Event) -> Void
  private let silence: Duration
  private let keptPing: Duration
  /// When the server was heard last.
  package private(set) var heardAt: MonotonicTime
  private var heardBytes: UInt64 = 0
  /// How long it was silent while it was watched: a loop that stood still heard nobody.
  private var silentFor = Duration.zero
  private var checkedAt: MonotonicTime
  /// How long it has given no sign that it reads what it is sent, and how many it has given before.
  private var unreadFor = Duration.zero
  private var readSigns: UInt64 = 0

  /// Makes a client of a socket on its way to a server.
  ///
  /// - Parameters:
  ///   - socket: from `Socket.connecting(to:)`.
  ///   - loop: where it lives; add it there, then call `begin()`.
  ///   - session: of the stream.
  ///   - tls: the client's end, for `rtmps`.
  ///   - timeouts: for the server.
  ///   - silence: a server from which nothing comes for so long, not even the answer to a ping, is
  ///     given up by `check`.
  ///   - keptPing: after how long without a word one that has let go of the stream is pinged, where
  ///     that is sooner than the session's limits say.
  ///   - preamble: sent before anything else.
  ///   - onEvent: told what happens.
  package init(
    _ socket: consuming Socket, on loop: Loop, session: ClientSession, tls: TLSSession?,
    timeouts: Timeouts, silence: Duration, keptPing: Duration = .seconds(1), preamble: [UInt8],
    onEvent: @escaping (Event) -> Void
  ) {
    self.onEvent = onEvent
    self.silence = silence
    self.keptPing = keptPing
    heardAt = .now
    checkedAt = heardAt
    super.init(
      socket, on: loop, session: session, tls: tls, timeouts: timeouts, preamble: preamble)
  }

  /// Pings a server that says nothing, and ends one that has said nothing for too long.
  ///
  /// To be called four times for each `silence` or more often; of a longer pause no more counts
  /// than that, so that it has the time to answer. A server that reads slowly acknowledges what it
  /// reads, and is not silent.
  package func check(_ now: MonotonicTime) {
    guard !isClosed else { return }
    let watched = min(now - checkedAt, silence / 4)
    checkedAt = now
    silentFor += watched
    unreadFor += watched
    if receivedBytes != heardBytes {
      heardBytes = receivedBytes
      heardAt = now
      silentFor = .zero
    }
    let signs = session.readBytes + session.pongs
    if signs != readSigns || !session.isStarted {
      readSigns = signs
      unreadFor = .zero
    }
    // One that reads nothing is lost whatever it says: what it is sent may get lost though what it
    // sends arrives.
    if max(silentFor, unreadFor) >= silence { return end(.timedOut(stage)) }
    // Before `connect` is answered, the answer to it is what is waited for.
    guard session.enhanced != nil, !isFinishing || isKept else { return }
    var pause = isKept ? UInt64(max(1, keptPing.nanoseconds / 1_000_000)) : .max
    // Also where something has just come from it.
    if unreadFor >= silence / 3 { pause = 0 }
    write { session, output in
      _ = session.keepAlive(
        at: now.nanoseconds / 1_000_000, pingingAfter: pause, into: &output)
    }
  }

  /// Closes it at once; nothing is told.
  package func abandon() {
    onEvent = { _ in }
    end(.finished)
  }

  override func started() {
    if let progress = session.startProgress { onEvent(.progressed(progress)) }
    onEvent(.started)
  }

  override func drained() { onEvent(.drained) }

  override func released() { onEvent(.released) }

  override func received(_ event: ClientEvent) {
    switch event {
    case .reconnectRequested: onEvent(.reconnectRequested)
    case .progressed(let progress): onEvent(.progressed(progress))
    case .connected, .started, .refused, .audio, .video, .data, .ended: break
    }
  }

  override func ended(_ end: ClientEnd) {
    let tell = onEvent
    onEvent = { _ in }
    tell(.ended(end))
  }
}
