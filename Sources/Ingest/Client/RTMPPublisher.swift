package import EventLoop
package import Media
package import RTMP
package import TLS

/// Publishes one stream to a server: finds an address that answers, then sends tags.
///
/// Confined to its loop. It paces nothing: who calls `send` looks at `waitingBytes` and waits for
/// `.drained` when it is too much.
package final class RTMPPublisher {
  package enum Event: Equatable, Sendable {
    /// The server takes the stream from here on.
    case started
    /// All that was sent has gone out.
    case drained
    /// It is over, for whatever reason; the last event.
    case ended(ClientEnd)
  }

  /// How a publisher goes about it.
  package struct Options: Sendable {
    /// For `rtmps`.
    package var tls: TLSContext?
    package var timeouts = RTMPClient.Timeouts()
    package var limits = Limits()

    package init(tls: TLSContext? = nil) { self.tls = tls }
  }

  package let address: RTMPAddress
  private let options: Options
  private let buffers: TLSBuffers
  private unowned let loop: Loop
  private let onEvent: (Event) -> Void
  private var candidates: [SocketAddress] = []
  private var connection: PublisherConnection?
  private var hasEnded = false
  /// What the connection had sent when it ended.
  private var lastSentBytes: UInt64 = 0

  /// Makes a publisher; it does nothing before `start`.
  ///
  /// - Parameters:
  ///   - address: of the stream.
  ///   - options: for the connection.
  ///   - loop: where it lives, and calls `onEvent`.
  ///   - buffers: the loop's own, where it has some.
  ///   - onEvent: told what happens.
  package init(
    to address: RTMPAddress, options: Options = Options(), on loop: Loop,
    buffers: TLSBuffers? = nil, onEvent: @escaping (Event) -> Void
  ) {
    self.address = address
    self.options = options
    self.loop = loop
    self.buffers = buffers ?? TLSBuffers(keep: 1)
    self.onEvent = onEvent
  }

  /// Connects to the first of these addresses that answers; none: the host is unknown.
  package func start(_ addresses: [SocketAddress]) {
    candidates = addresses.reversed()
    guard !addresses.isEmpty else { return end(.unknownHost(address.host)) }
    next(after: nil)
  }

  /// Whether the server takes tags.
  package var isStarted: Bool { connection?.session.isStarted ?? false }
  /// Bytes that the socket hasn't taken yet.
  package var waitingBytes: Int { connection?.waitingBytes ?? 0 }
  /// Bytes that it has taken.
  package var sentBytes: UInt64 { connection?.sentBytes ?? lastSentBytes }

  /// Sends a tag's body as a message; nothing before `.started`.
  package func send(_ tag: FLVTag) {
    let type: MessageType =
      switch tag.kind {
      case .audio: .audio
      case .video: .video
      case .script: .data
      }
    connection?.write { session, output in
      session.send(type, timestamp: tag.timestamp, payload: tag.body.span, into: &output)
    }
  }

  /// Sends the stream's metadata.
  package func send(metadata: AMFObject) {
    connection?.write { session, output in session.sendMetadata(metadata, into: &output) }
  }

  /// Ends the stream once all that waits has gone out.
  package func finish() {
    guard let connection else { return end(.finished) }
    candidates = []
    connection.finish()
  }

  private func next(after failure: ClientEnd?) {
    guard let candidate = candidates.popLast() else {
      return end(failure ?? .unknownHost(address.host))
    }
    let session = ClientSession(configuration())
    do throws(SystemError) {
      let tls = try tlsSession()
      let connection = PublisherConnection(
        try Socket.connecting(to: candidate), on: loop, session: session, tls: tls,
        timeouts: options.timeouts)
      connection.publisher = self
      self.connection = connection
      try loop.add(connection)
      connection.begin()
    } catch {
      connection = nil
      next(after: .unreachable(error))
    }
  }

  private func configuration() -> ClientSession.Configuration {
    var configuration = ClientSession.Configuration(
      .publish, tcUrl: address.tcUrl, app: address.app, streamName: address.streamName)
    configuration.limits = options.limits
    return configuration
  }

  private func tlsSession() throws(SystemError) -> TLSSession? {
    guard address.isSecure, let context = options.tls else { return nil }
    guard
      let session = TLSSession(client: context, serverName: address.host, buffers: buffers)
    else { throw SystemError("SSL_new", 12) }
    return session
  }

  fileprivate func tell(_ event: Event) { onEvent(event) }

  fileprivate func connectionEnded(_ end: ClientEnd) {
    lastSentBytes = connection?.sentBytes ?? 0
    connection = nil
    // Another address may answer where this one did not; a server that did has the last word.
    switch end {
    case .unreachable, .timedOut(.connecting), .lost(.connecting): next(after: end)
    default: self.end(end)
    }
  }

  private func end(_ end: ClientEnd) {
    guard !hasEnded else { return }
    hasEnded = true
    onEvent(.ended(end))
  }
}

/// A publisher's connection to one address.
private final class PublisherConnection: RTMPClient {
  // The publisher holds its connection; when it is let go, nobody is left to tell.
  weak var publisher: RTMPPublisher?

  override func started() { publisher?.tell(.started) }
  override func drained() { publisher?.tell(.drained) }
  override func ended(_ end: ClientEnd) { publisher?.connectionEnded(end) }
}
