import Bytes
import EventLoop
import Redis
import Synchronization

/// A server that says what a test wants it to say, to whoever connects.
final class ScriptedPeer: Sendable {
  /// Called on the peer's loop with what one connection has received since the last time.
  ///
  /// - Parameters: the number of the connection among those that spoke, from 1, and the bytes as
  ///   text.
  /// - Returns: what to send now, in pieces, each of which goes out `pause` after the one before.
  typealias Script = @Sendable (Int, String) -> [[UInt8]]

  let port: UInt16
  private let group: LoopGroup
  private let count = Mutex(0)

  /// The usual greeting: answers to HELLO and PING.
  static let greeting =
    "*4\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n+PONG\r\n"

  init(pause: Duration = .milliseconds(5), _ script: @escaping Script) async throws {
    guard let any = SocketAddress(host: "127.0.0.1", port: 0) else {
      throw SystemError("address", 0)
    }
    let socket = try Socket.listening(on: any)
    port = socket.localAddress.port
    let descriptor = socket.release()
    group = try LoopGroup(count: 1)
    try await group.mailboxes[0].run { [self] loop in
      let listener = Listener(Socket(owning: descriptor), on: loop) { socket, _ in
        var number: Int?
        let channel = PeerChannel(socket, on: loop, pause: pause) { text in
          let mine = number ?? self.next()
          number = mine
          return script(mine, text)
        }
        try? loop.add(channel)
      }
      try loop.add(listener)
    }
  }

  deinit { group.stop() }

  /// How many connections there have been on which something was said: whoever looks whether a port
  /// is open, of this machine or of a test before, is none.
  var connections: Int { count.withLock { $0 } }

  private func next() -> Int {
    count.withLock { count in
      count += 1
      return count
    }
  }

  func configuration() throws -> RedisConfiguration {
    var configuration = RedisConfiguration(try RedisAddress("redis://127.0.0.1:\(port)"))
    configuration.commandDeadline = .seconds(30)
    configuration.reconnectPatience = .seconds(30)
    configuration.connectDeadline = .seconds(10)
    configuration.silenceLimit = .seconds(10)
    configuration.shortestPause = .milliseconds(1)
    return configuration
  }
}

private final class PeerChannel: Channel {
  private let answer: (String) -> [[UInt8]]
  private let pause: Duration
  private var waiting: [[UInt8]] = []
  private var isSending = false

  init(
    _ socket: consuming Socket, on loop: Loop, pause: Duration,
    answer: @escaping (String) -> [[UInt8]]
  ) {
    self.answer = answer
    self.pause = pause
    super.init(socket, on: loop)
  }

  override func readable() {
    while !isClosed {
      var text = ""
      switch loop.receive(self, { text = String(decoding: [UInt8](copying: $0), as: UTF8.self) }) {
      case .bytes:
        waiting += answer(text)
        if !isSending { send() }
      case .wouldBlock: return
      case .closed, .failed: return loop.close(self)
      }
    }
  }

  private func send() {
    isSending = !waiting.isEmpty
    guard isSending, !isClosed else { return }
    let bytes = waiting.removeFirst()
    let descriptor = descriptor
    // What does not fit into the socket is not said: it is enough as it is.
    _ = unsafe bytes.withUnsafeBytes { unsafe SystemCall.send(descriptor, $0) }
    loop.schedule(after: pause) { [weak self] in self?.send() }
  }
}
