import EventLoop
import Glibc
import Telemetry
import Testing

@testable import Relay

@Suite(.serialized) struct `Plain TCP proxy` {
  @Test(arguments: [Duration.zero, .milliseconds(20)])
  func `bytes of any sizes come out the same, both ways at once`(gather: Duration) throws {
    var configuration = TCPProxyConfiguration()
    configuration.gather = gather
    let rig = try TCPProxyRig(configuration)
    let origin = try rig.origin()
    let client = try rig.client()
    var (up, down): ([UInt8], [UInt8]) = ([], [])
    for turn in 0..<60 {
      let sizes = [1, 7, 1_460, 4_096, 70_000, 300_000]
      let (a, b) = (noise(sizes[turn % 6], seed: UInt64(turn)), noise(turn * 311, seed: 99))
      client.send(a)
      up += a
      #expect(rig.turns { origin.peers.first != nil })
      origin.peers.first?.send(b)
      down += b
      if turn % 4 == 0 { #expect(rig.turns { origin.peers.first?.receivedCount == up.count }) }
    }
    #expect(
      rig.turns {
        origin.peers.first?.receivedCount == up.count && client.receivedCount == down.count
      })
    #expect(origin.peers.first?.received == up)
    #expect(client.received == down)
    #expect(rig.metrics.bytesToOrigin.value == UInt64(up.count))
    #expect(rig.metrics.bytesToClient.value == UInt64(down.count))
    #expect(rig.metrics.pipes.value == 0, "an idle connection has no pipe")
    client.finish()
    origin.peers.first?.finish()
    #expect(rig.turns { rig.isEmpty })
    #expect(rig.reports.map(\.outcome) == [.finished])
    #expect(rig.metrics.count(.finished) == 1)
  }

  @Test func `what is left over for the next turn is not in the way of what is gathered`() throws {
    var configuration = TCPProxyConfiguration()
    configuration.gather = .milliseconds(1)
    configuration.pipeBytes = 4 << 10
    let rig = try TCPProxyRig(configuration)
    let origin = try rig.origin()
    let client = try rig.client()
    #expect(rig.turns { origin.peers.first != nil })
    let peer = try #require(origin.peers.first)
    let (up, down) = (noise(6_000_000, seed: 1), noise(5_000_000, seed: 2))
    for start in stride(from: 0, to: up.count, by: 100_000) {
      client.send(Array(up[start..<(start + 100_000)]))
      if start < down.count { peer.send(Array(down[start..<(start + 100_000)])) }
      rig.loop.turn(maximumWait: .milliseconds(1))
    }
    #expect(rig.turns { peer.receivedCount == up.count && client.receivedCount == down.count })
    #expect(peer.received == up)
    #expect(client.received == down)
    peer.reset()
    client.send([1])
    #expect(rig.turns { rig.isEmpty })
  }

  @Test func `one side ends, and the other goes on`() throws {
    let rig = try TCPProxyRig()
    let origin = try rig.origin()
    let client = try rig.client()
    let question = noise(500_000, seed: 1)
    client.send(question)
    client.finish()
    #expect(rig.turns { origin.peers.first?.hasSeenEnd == true })
    let peer = try #require(origin.peers.first)
    #expect(peer.received == question)
    #expect(!client.hasSeenEnd)
    let answer = noise(900_000, seed: 2)
    peer.send(answer)
    #expect(rig.turns { client.receivedCount == answer.count })
    #expect(client.received == answer)
    #expect(rig.metrics.connections.value == 1)
    peer.finish()
    #expect(rig.turns { client.hasSeenEnd && rig.isEmpty })
    #expect(!client.wasReset)
  }

  @Test(arguments: [true, false])
  func `who reads nothing makes the other side wait, in bounded memory`(isClient: Bool) throws {
    var configuration = TCPProxyConfiguration()
    configuration.pipeBytes = 64 << 10
    let rig = try TCPProxyRig(configuration)
    let origin = try rig.origin()
    origin.accepted = { if !isClient { $0.isReading = false } }
    let client = try rig.client()
    client.isReading = !isClient
    #expect(rig.turns { origin.peers.first != nil })
    let peer = try #require(origin.peers.first)
    let (reader, writer) = isClient ? (client, peer) : (peer, client)
    let counter = isClient ? rig.metrics.bytesToClient : rig.metrics.bytesToOrigin
    reader.keeps = false
    let total = 64 << 20
    for _ in 0..<64 { writer.send([UInt8](repeating: 7, count: 1 << 20)) }
    // Nothing moves any more once every buffer on the way is full.
    var before = UInt64.max
    while before != counter.value {
      before = counter.value
      for _ in 0..<20 { rig.loop.turn(maximumWait: .milliseconds(10)) }
    }
    #expect(counter.value > 0)
    #expect(writer.waitingBytes > 32 << 20, "the kernel's buffers and one pipe, and no more")
    #expect(rig.metrics.pipes.value == 1)
    // The other way is none of its business.
    let flows = isClient ? (client, peer) : (peer, client)
    flows.0.send([1, 2, 3])
    #expect(rig.turns { flows.1.received == [1, 2, 3] })
    reader.goOn()
    #expect(rig.turns { reader.receivedCount == total })
    #expect(rig.turns { rig.metrics.pipes.value == 0 })
  }

  @Test func `an origin that refuses is passed over, and nothing of it is counted`() throws {
    let rig = try TCPProxyRig()
    let dead = try rig.origin("dead")
    dead.stop()
    let origin = try rig.origin("alive")
    let client = try rig.client()
    client.send([1, 2, 3])
    #expect(rig.turns { origin.peers.first?.received == [1, 2, 3] })
    #expect(rig.failures == ["dead"])
    #expect(rig.questions == [[], ["dead"]])
    client.reset()
    #expect(rig.turns { rig.isEmpty })
    #expect(rig.reports.first?.origin == "alive")
    #expect(rig.reports.first?.outcome == .clientLost)
  }

  @Test func `an origin that doesn't answer is passed over in time`() throws {
    var configuration = TCPProxyConfiguration()
    configuration.connectTimeout = .milliseconds(100)
    let rig = try TCPProxyRig(configuration)
    // Whose backlog is full: the kernel leaves what else comes without an answer.
    let socket = try Socket.listening(
      on: try #require(SocketAddress(host: "127.0.0.1", port: 0)), backlog: 0)
    let fillers = try (0..<4).map { _ in
      try Socket.connecting(to: socket.localAddress).release()
    }
    defer { for filler in fillers { close(filler) } }
    rig.targets.append(
      RelayTarget(name: "silent", host: "127.0.0.1", port: socket.localAddress.port))
    let origin = try rig.origin("alive")
    let client = try rig.client()
    client.send([1])
    #expect(rig.turns { origin.peers.first?.received == [1] })
    #expect(rig.failures == ["silent"])
    withExtendedLifetime(socket) {}
  }

  @Test func `a direction that is gathered wakes the loop again once it is quiet`() throws {
    var configuration = TCPProxyConfiguration()
    configuration.gather = .milliseconds(1)
    let rig = try TCPProxyRig(configuration)
    let origin = try rig.origin()
    let client = try rig.client()
    var sent = 0
    for _ in 0..<3 {
      client.send(noise(300_000, seed: 4))
      sent += 300_000
      #expect(rig.turns { origin.peers.first?.receivedCount == sent })
      #expect(rig.turns { rig.proxy.gatheredCount == 1 })
      #expect(rig.turns { rig.proxy.gatheredCount == 0 })
      client.send([1])
      sent += 1
      #expect(rig.turns { origin.peers.first?.receivedCount == sent })
      #expect(rig.proxy.gatheredCount == 0, "a byte is nothing to gather")
    }
  }

  @Test func `an origin by name is looked up`() throws {
    let rig = try TCPProxyRig()
    let origin = try rig.origin()
    rig.targets = [
      RelayTarget(name: "nowhere", host: "nowhere.invalid", port: origin.port),
      RelayTarget(name: "named", host: "localhost", port: origin.port),
    ]
    let client = try rig.client()
    client.send([1])
    #expect(rig.turns { origin.peers.first?.received == [1] })
    #expect(rig.failures == ["nowhere"])
  }

  @Test func `without an origin a client is closed`() throws {
    let rig = try TCPProxyRig()
    let client = try rig.client()
    #expect(rig.turns { client.hasSeenEnd && rig.isEmpty })
    #expect(rig.reports.map(\.outcome) == [.noOrigin])
  }

  @Test(arguments: [true, false])
  func `when an origin dies its client is closed, after its last words`(isReset: Bool) throws {
    let rig = try TCPProxyRig()
    let origin = try rig.origin()
    let client = try rig.client()
    client.send([1])
    #expect(rig.turns { origin.peers.first?.received == [1] })
    let peer = try #require(origin.peers.first)
    peer.send([9, 9])
    #expect(rig.turns { client.received == [9, 9] })
    if isReset { peer.reset() } else { rig.loop.close(peer) }
    // A publisher goes on sending until it is told.
    #expect(
      rig.turns {
        if !client.isClosed, !client.wasReset { client.send([2]) }
        return rig.isEmpty
      })
    #expect(rig.turns { client.hasSeenEnd })
    #expect(rig.reports.first?.outcome == .originLost)
  }

  @Test func `an origin that the cluster takes for gone loses its clients alone`() throws {
    let rig = try TCPProxyRig()
    let gone = try rig.origin("gone")
    let first = try rig.client()
    #expect(rig.turns { gone.peers.count == 1 })
    rig.targets = []
    let stays = try rig.origin("stays")
    let second = try rig.client()
    #expect(rig.turns { stays.peers.count == 1 })
    rig.proxy.originLost("gone")
    #expect(rig.turns { first.hasSeenEnd })
    #expect(rig.proxy.connectionCount == 1)
    second.send([5])
    #expect(rig.turns { stays.peers.first?.received == [5] })
    rig.proxy.end()
    #expect(rig.turns { second.hasSeenEnd && rig.isEmpty })
    #expect(rig.reports.map(\.outcome) == [.originLost, .stopped])
  }

  @Test func `a connection on which nothing moves is closed`() throws {
    var configuration = TCPProxyConfiguration()
    configuration.idleTimeout = .milliseconds(60)
    let rig = try TCPProxyRig(configuration)
    let origin = try rig.origin()
    let client = try rig.client()
    #expect(rig.turns { client.hasSeenEnd && rig.isEmpty })
    #expect(rig.turns { origin.peers.first?.hasSeenEnd == true })
    #expect(rig.reports.map(\.outcome) == [.idle])
  }

  @Test func `no more connections than allowed`() throws {
    var configuration = TCPProxyConfiguration()
    configuration.maximumConnections = 2
    let rig = try TCPProxyRig(configuration)
    let origin = try rig.origin()
    let clients = try (0..<3).map { _ in try rig.client() }
    #expect(rig.turns { clients.contains { $0.hasSeenEnd } })
    #expect(rig.turns { origin.peers.count == 2 })
    #expect(rig.metrics.refused.value == 1)
    #expect(rig.metrics.connections.value == 2)
    try #require(clients.first { !$0.hasSeenEnd }).reset()
    #expect(rig.turns { rig.proxy.connectionCount == 1 })
    let next = try rig.client()
    next.send([4])
    #expect(rig.turns { origin.peers.last?.received == [4] })
  }

  @Test func `counts are 0 after a thousand connections, however they end`() throws {
    let rig = try TCPProxyRig()
    var handles = 0
    final class Handle: Sendable {}
    let origin = try rig.origin()
    let dead = try rig.origin("dead")
    dead.stop()
    weak var last: Handle?
    origin.accepted = { peer in
      handles += 1
      switch handles % 4 {
      case 0: peer.reset()
      case 1: peer.finish()
      case 2: peer.send(noise(20_000, seed: 5))
      default: break
      }
    }
    for turn in 0..<1_000 {
      let handle = Handle()
      last = handle
      rig.targets = rig.targets.map { target in
        RelayTarget(name: target.name, host: target.host, port: target.port, handle: handle)
      }
      if turn % 10 == 0 { rig.targets.reverse() }
      let client = try rig.client()
      if turn % 2 == 0 { client.send(noise(30_000, seed: 6)) }
      if turn % 3 == 0 { rig.loop.turn(maximumWait: .milliseconds(1)) }
      switch turn % 5 {
      case 0: client.reset()
      case 1: rig.loop.close(client)
      default: client.finish()
      }
    }
    #expect(
      rig.turns {
        for peer in origin.peers where !peer.isClosed && peer.hasSeenEnd { peer.finish() }
        return rig.metrics.connections.value == 0
          && rig.reports.count + Int(rig.metrics.refused.value) >= 1_000
      })
    #expect(rig.isEmpty)
    let sum = TCPProxyOutcome.allCases.reduce(0) { $0 + rig.metrics.count($1) }
    #expect(sum == UInt64(rig.reports.count))
    rig.targets = []
    #expect(last == nil, "what counts a connection is let go with it")
  }

  @Test func `the client's address goes ahead, and comes from a balancer`() throws {
    var configuration = TCPProxyConfiguration()
    configuration.sendsProxyHeader = true
    configuration.trustedProxies = ["127.0.0.1"]
    let rig = try TCPProxyRig(configuration)
    let origin = try rig.origin()
    let header = Array("PROXY TCP4 203.0.113.9 198.51.100.1 4711 1935\r\n".utf8)
    let payload = noise(5_000, seed: 3)
    for cut in [0, 1, 20, header.count - 1, header.count] {
      origin.forget()
      let client = try rig.client()
      client.send(Array(header[..<cut]))
      for _ in 0..<3 { rig.loop.turn(maximumWait: .milliseconds(5)) }
      client.send(Array(header[cut...]) + payload)
      #expect(rig.turns { (origin.peers.first?.receivedCount ?? 0) == 28 + payload.count })
      let received = try #require(origin.peers.first?.received)
      guard case .complete(28, let source) = ProxyHeader.parse(received.span) else {
        Issue.record("no header at cut \(cut)")
        continue
      }
      #expect(source?.host == "203.0.113.9" && source?.port == 4711)
      #expect(Array(received[28...]) == payload)
      let before = rig.reports.reduce(0) { $0 + $1.bytesToOrigin }
      #expect(rig.metrics.bytesToOrigin.value == before + UInt64(payload.count))
      client.reset()
      #expect(rig.turns { rig.isEmpty })
    }
    let stranger = try rig.client()
    stranger.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
    #expect(rig.turns { stranger.hasSeenEnd })
    #expect(rig.reports.last?.outcome == .handshake)
  }

  #if DEBUG
    @Test(arguments: [EINTR, EAGAIN, ENOBUFS, ECONNRESET, SystemCallFault.shortWrite])
    func `no system call that fails loses or invents a byte`(error: Int32) throws {
      defer { SystemCallFault.disarm() }
      for number in 1...25 {
        let rig = try TCPProxyRig()
        let origin = try rig.origin()
        let client = try rig.client()
        let bytes = noise(200_000, seed: UInt64(number))
        client.send(bytes)
        SystemCallFault.arm(number, error)
        // A peer of the test may be the one that it hits, and gives up then.
        var turns = 0
        while turns < 60, origin.peers.first?.receivedCount != bytes.count {
          rig.loop.turn(maximumWait: .milliseconds(1))
          turns += 1
          if rig.isEmpty, turns > 20 { break }
        }
        SystemCallFault.disarm()
        let received = origin.peers.first?.received ?? []
        #expect(received.elementsEqual(bytes.prefix(received.count)))
        client.reset()
        for peer in origin.peers where !peer.isClosed { peer.reset() }
        #expect(rig.turns { rig.isEmpty }, "call \(number), error \(error)")
      }
    }
  #endif
}
