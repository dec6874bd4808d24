import Bytes
import TLS
import Testing

@Suite struct `TLS session` {
  let scratch: Scratch
  let server: TLSContext
  let client: TLSContext

  init() throws {
    scratch = try Scratch()
    server = try .testServer(scratch)
    client = try .testClient(.file(scratch.file("certificate.pem")))
  }

  @Test(arguments: [TLSVersion.tls12, .tls13])
  func `a client that trusts the certificate gets through`(version: TLSVersion) throws {
    let client = try TLSContext.testClient(
      .file(scratch.file("certificate.pem")), most: version)
    let pair = try Pair(server: server, client: client)
    #expect(pair.server.isHandshaking)
    #expect(pair.server.write([1].span) == .wantRead && pair.server.writeRoom == 0)
    pair.run()
    #expect(!pair.server.isHandshaking && !pair.client.isHandshaking)
    #expect(pair.server.selectedProtocol == "h2" && pair.server.selectedHTTP2)
    #expect(pair.server.serverName == "localhost")
    #expect(pair.client.versionName == (version == .tls12 ? "TLSv1.2" : "TLSv1.3"))
    #expect(
      pair.server.cipherName
        == (version == .tls12 ? "ECDHE-ECDSA-AES128-GCM-SHA256" : "TLS_AES_128_GCM_SHA256"))
    #expect(pair.client.peerCertificate != nil && pair.server.peerCertificate == nil)
    let ping = Array("ping".utf8)
    #expect(pair.client.write(ping.span) == .done(bytes: 4))
    #expect(pair.server.write(head: ping.span, body: ping.span) == .done(bytes: 8))
    pair.run()
    #expect(pair.atServer == ping && pair.atClient == ping + ping)
    #expect(!pair.server.hasPendingOutput && pair.server.buffers.outputBuffersInUse == 0)
  }

  @Test(arguments: [1, 2, 3, 5, 7, 11, 64, 1000], [TLSVersion.tls12, .tls13])
  func `bytes that come in pieces come out the same`(cut: Int, version: TLSVersion) throws {
    let client = try TLSContext.testClient(
      .file(scratch.file("certificate.pem")), most: version)
    let pair = try Pair(server: server, client: client)
    let message = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    pair.run(cut: cut)
    #expect(pair.client.write(message.span) == .done(bytes: message.count))
    #expect(pair.server.write(message.span) == .done(bytes: message.count))
    pair.run(cut: cut)
    let arrived = pair.atServer == message && pair.atClient == message
    #expect(arrived)
  }

  @Test func `a handshake split at any byte of the first flight goes through`() throws {
    let first = try Pair(server: server, client: client).client.pendingOutputBytes
    for cut in 1..<first {
      let pair = try Pair(server: server, client: client)
      Pair.move(from: pair.client, to: pair.server, cut, &pair.atServer)
      pair.run()
      #expect(!pair.server.isHandshaking && pair.server.closeReason == nil)
    }
  }

  // MARK: Output

  @Test func `output is gathered up to its limit and goes on when it was sent`() throws {
    let buffers = TLSBuffers(gatherRecords: 3)
    let pair = try Pair(server: server, client: client, buffers: buffers)
    pair.run()
    let page = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 251) }
    #expect(pair.server.writeRoom == 3 * 16_384)
    #expect(pair.server.write(page.span) == .done(bytes: 3 * 16_384))
    #expect(pair.server.write(page.span) == .wantWrite && pair.server.writeRoom == 0)
    #expect(pair.server.write(head: [1].span, body: [2].span) == .wantWrite)
    #expect(buffers.outputBuffersInUse == 1)
    // A partial send keeps the rest.
    let pending = pair.server.pendingOutputBytes
    Pair.move(from: pair.server, to: pair.client, 1_000, &pair.atClient)
    #expect(pair.server.pendingOutputBytes == pending - 1_000)
    pair.run()
    var sent = 3 * 16_384
    while sent < page.count {
      guard case .done(let count) = pair.server.write(page.span.extracting(sent..<page.count))
      else { break }
      sent += count
      pair.run()
    }
    let arrived = pair.atClient == page
    #expect(arrived)
    #expect(buffers.outputBuffersInUse == 0)
  }

  @Test func `nothing to write makes no record, too much for one record is refused`() throws {
    let pair = try Pair(server: server, client: client)
    pair.run()
    let none: [UInt8] = []
    #expect(pair.server.write(none.span) == .done(bytes: 0))
    #expect(pair.server.write(head: none.span, body: none.span) == .done(bytes: 0))
    #expect(!pair.server.hasPendingOutput)
    let large = [UInt8](repeating: 0, count: 16_384)
    #expect(pair.server.write(head: none.span, body: large.span) == .done(bytes: 16_384))
    #expect(pair.server.write(head: [1].span, body: large.span) == .wantWrite)
  }

  // MARK: Closing

  @Test func `close_notify ends both sides without loss`() throws {
    let pair = try Pair(server: server, client: client)
    pair.run()
    #expect(pair.client.write(Array("last".utf8).span) == .done(bytes: 4))
    pair.client.shutdown()
    pair.client.shutdown()
    #expect(pair.client.write([1].span) == .closed && pair.client.closeReason == nil)
    pair.run()
    #expect(pair.atServer == Array("last".utf8))
    #expect(pair.server.closeReason == .closeNotify && pair.client.closeReason == .local)
    #expect(pair.server.write([1].span) == .closed)
    #expect(pair.server.receive([1].span) { _ in } == .closed)
    pair.server.receiveEnd()
    #expect(pair.server.closeReason == .closeNotify)
  }

  @Test func `an answer written while the last bytes come in goes out before close_notify`() throws
  {
    let pair = try Pair(server: server, client: client)
    pair.run()
    _ = pair.client.write(Array("question".utf8).span)
    pair.client.shutdown()
    let bytes = pair.client.withOutput { [UInt8](copying: $0) }
    pair.client.consumeOutput(bytes.count)
    let progress = pair.server.receive(bytes.span) { _ in
      #expect(pair.server.write(Array("answer".utf8).span) == .done(bytes: 6))
    }
    #expect(progress == .closed)
    pair.run()
    #expect(pair.atClient == Array("answer".utf8))
  }

  @Test func `an end without close_notify is a truncation`() throws {
    let pair = try Pair(server: server, client: client)
    pair.run()
    pair.server.receiveEnd()
    #expect(pair.server.closeReason == .truncated)
    let early = try Pair(server: server, client: client)
    early.server.receiveEnd()
    #expect(early.server.closeReason == .truncated && !early.server.isHandshaking)
    let gone = try Pair(server: server, client: client)
    gone.server.shutdown()
    #expect(gone.server.closeReason == .local)
  }

  // MARK: Garbage

  @Test(arguments: [
    ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", TLSCloseReason.plainHTTP),
    ("\u{3}\u{0}\u{0}\u{0}\u{0}rtmp over the wrong port, 1536 bytes of it", .notTLS),
    ("\u{16}\u{3}\u{1}\u{7f}\u{7f}" + String(repeating: "x", count: 5), .notTLS),
  ])
  func `bytes that are not TLS close with a reason`(bytes: String, reason: TLSCloseReason) throws {
    let session = try #require(TLSSession(server: server, buffers: TLSBuffers()))
    #expect(session.receive(Array(bytes.utf8).span) { _ in } == .closed)
    #expect(session.closeReason == reason)
  }

  @Test func `a damaged handshake or record never traps and closes or waits`() throws {
    var numbers = Seeded(state: 1)
    for round in 0..<400 {
      let pair = try Pair(server: server, client: client)
      if round % 2 == 0 { pair.run() }
      _ = pair.client.write([1, 2, 3].span)
      var bytes = pair.client.withOutput { [UInt8](copying: $0) }
      for _ in 0...(round % 4) {
        bytes[Int.random(in: 0..<bytes.count, using: &numbers)] = .random(
          in: 0...255, using: &numbers)
      }
      if round % 3 == 0 { bytes.removeLast(bytes.count / 3) }
      _ = pair.server.receive(bytes.span) { _ in }
      pair.server.receiveEnd()
      #expect(pair.server.closeReason != nil)
    }
  }

  @Test func `a forged record closes and its alert is there to send`() throws {
    let pair = try Pair(server: server, client: client)
    pair.run()
    _ = pair.client.write(Array("payment".utf8).span)
    var bytes = pair.client.withOutput { [UInt8](copying: $0) }
    bytes[bytes.count - 1] ^= 1
    #expect(pair.server.receive(bytes.span) { _ in } == .closed)
    #expect(pair.server.closeReason == .badRecord && pair.server.hasPendingOutput)
  }
}
