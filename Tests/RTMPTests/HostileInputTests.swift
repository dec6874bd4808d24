import Bytes
import RTMP
import Testing

/// A trap ends the test run; what is expected here is that it goes on.
@Suite struct `Hostile input` {
  /// All the bytes of a client that publishes.
  static func validSession() throws -> [UInt8] {
    var configuration = Pair.publisher()
    configuration.enhanced = .server
    configuration.limits.sendChunkSizeBytes = 200
    let pair = Pair(configuration)
    try pair.start()
    pair.client.sendMetadata(["width": 320, "height": 180], into: &pair.toServer)
    for index in 0..<6 {
      let body = pattern(100 + 150 * (index % 3), seed: index)
      pair.client.send(
        index % 2 == 0 ? .audio : .video, timestamp: 0xff_fff0 + UInt32(index) * 10,
        payload: body.span, into: &pair.toServer)
    }
    pair.client.close(into: &pair.toServer)
    try pair.pump()
    return pair.recorded
  }

  /// Every event and every byte of answer, or the error that ended it.
  static func serve(
    _ bytes: [UInt8], cuts: [Int] = []
  ) -> (events: [ServerEvent], output: [UInt8], error: ProtocolError?) {
    let server = ServerSession(seed: 2)
    var events: [ServerEvent] = []
    var output: [UInt8] = []
    var start = 0
    for end in cuts + [bytes.count] {
      let piece = Array(bytes[start..<end])
      start = end
      var cursor = ByteCursor()
      do {
        while let event = try server.receive(piece.span, &cursor, into: &output) {
          events.append(event)
          Pair.accept(server, event, &output)
        }
      } catch {
        return (events, output, error)
      }
    }
    return (events, output, nil)
  }

  @Test func `a session cut at any byte is the same session`() throws {
    let bytes = try Self.validSession()
    let whole = Self.serve(bytes)
    #expect(whole.error == nil && whole.events.count == 10)
    // The handshake has its own test at every byte.
    for cut in 3000...bytes.count {
      let other = Self.serve(bytes, cuts: [cut])
      guard other.events == whole.events, other.output == whole.output else {
        Issue.record("a cut at \(cut) of \(bytes.count) changed the session")
        return
      }
    }
    let single = Self.serve(bytes, cuts: Array(1..<bytes.count))
    #expect(single.events == whole.events && single.output == whole.output)
  }

  @Test(arguments: 0..<64 as Range<UInt64>) func `a mutated session ends or goes on`(
    seed: UInt64
  ) throws {
    let bytes = try Self.validSession()
    var random = FixedRandom(seed: seed)
    for _ in 0..<20 {
      var mutated = bytes
      for _ in 0...random.next() % 6 {
        let at = 3073 + Int(random.next() % UInt64(mutated.count - 3073))
        switch random.next() % 4 {
        case 0: mutated[at] = UInt8(truncatingIfNeeded: random.next())
        case 1: mutated[at] ^= 1 << (random.next() % 8)
        case 2: mutated.remove(at: at)
        default: mutated.insert(UInt8(truncatingIfNeeded: random.next()), at: at)
        }
      }
      let whole = Self.serve(mutated)
      // The pieces in which it comes change nothing even now.
      let cuts = (0..<8).map { _ in Int(random.next() % UInt64(mutated.count)) }.sorted()
      let pieces = Self.serve(mutated, cuts: cuts)
      #expect(whole.events == pieces.events && whole.error == pieces.error)
    }
  }

  @Test(arguments: 0..<64 as Range<UInt64>) func `random bytes after a handshake never trap`(
    seed: UInt64
  ) throws {
    var random = FixedRandom(seed: seed)
    var start: [UInt8] = []
    ClientHandshake(seed: 1).start(into: &start)
    start += pattern(Handshake.packetBytes)
    for _ in 0..<20 {
      let count = Int(random.next() % 3000)
      let noise = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      for bytes in [start + noise, [3] + noise] {
        let whole = Self.serve(bytes)
        let cuts = (0..<4).map { _ in Int(random.next() % UInt64(bytes.count)) }.sorted()
        let pieces = Self.serve(bytes, cuts: cuts)
        #expect(whole.events == pieces.events && whole.error == pieces.error)
      }
    }
  }

  @Test(arguments: 0..<64 as Range<UInt64>) func `a hostile server can't trap a client`(
    seed: UInt64
  ) throws {
    var random = FixedRandom(seed: seed)
    for _ in 0..<10 {
      let pair = Pair(seed % 2 == 0 ? Pair.player() : Pair.publisher())
      pair.client.start(into: &pair.toServer)
      let flips = random.next() % 5
      let from = Int(random.next() % 600)
      pair.answer = { server, event, output in
        Pair.accept(server, event, &output)
        for _ in 0..<flips where output.count > from {
          output[from + Int(random.next() % UInt64(output.count - from))] ^=
            1 << UInt8(random.next() % 8)
        }
      }
      do { try pair.pump() } catch { #expect(error.fault == .peer) }
    }
  }

  @Test func `an HTTP request on the port is refused by its first byte`() {
    let served = Self.serve(Array("GET / HTTP/1.1\r\n\r\n".utf8))
    #expect(served.error?.code == .version && served.output.isEmpty)
  }

  @Test func `an error's words hold nothing of the peer's bytes`() throws {
    let bench = try Bench()
    let error = #expect(throws: ProtocolError.self) {
      try bench.send(Command("publish", 1, [.null, "secret"]), stream: 1)
    }
    #expect(error.map { !"\($0)".contains("secret") } == true)
    #expect(Set(ProtocolError.Code.allCases.map(\.rawValue)).count == 12)
  }
}
