import BlockingSupport
import Bytes
import Cluster
import EventLoop
import HTTPClient
import RedisSupport
import Testing

@Suite(.blocking, .timeLimit(.minutes(2))) struct `Checks of peers` {
  /// What a peer that says these words to whoever asks is taken for.
  private static func answer(
    _ words: String?, deadline: Duration = .seconds(30)
  ) async throws -> PeerProbe.Answer {
    let peer = try await SpokenPeer(words)
    var node = try record("one")
    node.addresses.http = "127.0.0.1:\(peer.port)"
    return await PeerProbe.http(try HTTPClient()).check(node, deadline)
  }

  @Test func `one that answers as itself passes`() async throws {
    #expect(
      try await Self.answer(
        "HTTP/1.1 200 OK\r\nWedlive-Node: one\r\nContent-Length: 0\r\n\r\n") == .well)
  }

  @Test func `one that leaves says so`() async throws {
    #expect(
      try await Self.answer(
        "HTTP/1.1 200 OK\r\nWedlive-Node: one\r\nWedlive-Leaving: 1\r\nContent-Length: 0\r\n\r\n")
        == .leaving)
  }

  @Test func `one where something fails says so, unless it leaves`() async throws {
    let words = "HTTP/1.1 200 OK\r\nWedlive-Node: one\r\nWedlive-Faulty: 1\r\n"
    #expect(try await Self.answer("\(words)Content-Length: 0\r\n\r\n") == .ailing)
    #expect(
      try await Self.answer("\(words)Wedlive-Leaving: 1\r\nContent-Length: 0\r\n\r\n")
        == .leaving)
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n",
    "HTTP/1.1 200 OK\r\nWedlive-Node: two\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "",
  ])
  func `one that answers as another, with an error, or with nonsense does not`(_ said: String)
    async throws
  {
    #expect(try await Self.answer(said).cause != nil)
  }

  @Test func `one that takes the connection and never answers does not`() async throws {
    #expect(try await Self.answer(nil, deadline: .milliseconds(200)).cause != nil)
  }

  @Test func `one where nobody listens does not, and certificates have no part in that`()
    async throws
  {
    var node = try record("one")
    node.addresses.http = "127.0.0.1:\(try RedisServerProcess.freePort())"
    for scheme in ["http", "https"] {
      let probe = PeerProbe.http(try HTTPClient(), scheme: scheme)
      let words = try #require(await probe.check(node, .seconds(30)).cause)
      #expect(words.contains("unreachable") && !words.contains("cluster."), "\(words)")
    }
  }

  @Test func `where it is TLS that fails, the keys that may be wrong are named`() async throws {
    let peer = try await SpokenPeer("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    var node = try record("one")
    node.addresses.http = "127.0.0.1:\(peer.port)"
    let probe = PeerProbe.http(try HTTPClient(), scheme: "https")
    let words = try #require(await probe.check(node, .seconds(30)).cause)
    #expect(words.contains("(cluster.ca, cluster.certificate)"), "\(words)")
  }
}

/// A server that says the same to whoever asks, and then closes; or nothing, and stays.
private final class SpokenPeer: Sendable {
  let port: UInt16
  private let group: LoopGroup

  init(_ words: String?) async throws {
    guard let any = SocketAddress(host: "127.0.0.1", port: 0) else {
      throw SystemError("address", 0)
    }
    let socket = try Socket.listening(on: any)
    port = socket.localAddress.port
    let descriptor = socket.release()
    group = try LoopGroup(count: 1)
    try await group.mailboxes[0].run { loop in
      let listener = Listener(Socket(owning: descriptor), on: loop) { socket, _ in
        try? loop.add(SpokenChannel(words, socket, on: loop))
      }
      try loop.add(listener)
    }
  }

  deinit { group.stop() }
}

private final class SpokenChannel: Channel {
  private let words: String?

  init(_ words: String?, _ socket: consuming Socket, on loop: Loop) {
    self.words = words
    super.init(socket, on: loop)
  }

  override func readable() {
    while !isClosed {
      switch loop.receive(self, { _ in }) {
      case .bytes:
        guard let words else { continue }
        let descriptor = descriptor
        let bytes = Array(words.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe SystemCall.send(descriptor, $0) }
        return loop.close(self)
      case .wouldBlock: return
      case .closed, .failed: return loop.close(self)
      }
    }
  }
}
