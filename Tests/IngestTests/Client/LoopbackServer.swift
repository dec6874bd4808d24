import Bytes
import EventLoop
import RTMP
import TLS

/// A server that takes one publisher at a time, on the test's own loop.
final class LoopbackServer {
  enum Answer { case accept, refuse(String), close, silence }

  let loop: Loop
  let port: UInt16
  var answer = Answer.accept
  /// Whether it stops to read once the stream has started.
  var stopsReading = false
  var tls: TLSContext?
  var connects: [ConnectRequest] = []
  var names: [StreamName] = []
  var messages: [Message] = []
  var ends: [EndReason] = []
  fileprivate var connections: [LoopbackConnection] = []
  fileprivate let buffers = TLSBuffers(keep: 1)

  init(_ loop: Loop, host: String = "127.0.0.1") throws {
    self.loop = loop
    let address = SocketAddress(host: host, port: 0) ?? SocketAddress()
    let socket = try Socket.listening(on: address)
    port = socket.localAddress.port
    let listener = Listener(socket, on: loop) { [unowned(unsafe) self] socket, _ in
      let connection = unsafe LoopbackConnection(socket, on: loop, server: self)
      try? loop.add(connection)
      unsafe connections.append(connection)
    }
    try loop.add(listener)
  }

  /// Closes all connections without a word.
  func drop() { for connection in connections { loop.close(connection) } }

  /// Lets connections that stopped reading go on.
  func resume() {
    stopsReading = false
    for connection in connections { loop.again(connection) }
  }

  /// Ends what is being published.
  func kick(_ words: String) {
    for connection in connections { connection.kick(words) }
  }
}

final class LoopbackConnection: Channel {
  private unowned let server: LoopbackServer
  private let session = ServerSession()
  private let tls: TLSSession?
  private var stream: UInt32?
  private var output: [UInt8] = []

  init(_ socket: consuming Socket, on loop: Loop, server: LoopbackServer) {
    self.server = server
    tls = server.tls.flatMap { TLSSession(server: $0, buffers: server.buffers) }
    super.init(socket, on: loop)
  }

  override func readable() {
    while !isClosed, !(server.stopsReading && stream != nil) {
      switch loop.receive(self, { take($0) }) {
      case .bytes: continue
      case .wouldBlock: return
      case .closed, .failed: return loop.close(self)
      }
    }
  }

  func kick(_ words: String) {
    guard let stream, !isClosed else { return }
    session.rejectPublish(stream, .failed, words, into: &output)
    send()
  }

  private func take(_ bytes: borrowing Span<UInt8>) {
    if let tls { _ = tls.receive(bytes) { read($0) } } else { read(bytes) }
    send()
  }

  private func read(_ bytes: borrowing Span<UInt8>) {
    var cursor = ByteCursor()
    do throws(ProtocolError) {
      while !isClosed, let event = try session.receive(bytes, &cursor, into: &output) {
        handle(event)
      }
    } catch { loop.close(self) }
  }

  private func handle(_ event: ServerEvent) {
    switch event {
    case .connectRequested(let request):
      server.connects.append(request)
      session.acceptConnect(into: &output)
    case .publishRequested(let request):
      server.names.append(request.name)
      switch server.answer {
      case .accept:
        session.acceptPublish(request.streamID, into: &output)
        stream = request.streamID
      case .refuse(let words):
        session.rejectPublish(request.streamID, .denied, words, into: &output)
      case .close: loop.close(self)
      case .silence: break
      }
    case .audio(let message), .video(let message), .data(let message):
      server.messages.append(message)
    case .streamEnded(_, let reason): server.ends.append(reason)
    default: break
    }
  }

  /// Answers are small: a loopback socket takes them at once.
  private func send() {
    guard !isClosed else { return }
    if let tls {
      if !output.isEmpty, case .done = tls.write(output.span) { output = [] }
      tls.consumeOutput(
        tls.withOutput { bytes in
          if case .bytes(let count) = unsafe bytes.withUnsafeBytes({
            unsafe SystemCall.send(descriptor, $0)
          }) {
            count
          } else {
            0
          }
        })
    } else if !output.isEmpty {
      _ = unsafe output.withUnsafeBytes { unsafe SystemCall.send(descriptor, $0) }
      output = []
    }
  }
}
