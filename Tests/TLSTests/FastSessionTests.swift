import Bytes
import COpenSSL
import Testing

@testable import TLS

/// Our session with the fast cipher against one with OpenSSL's own.
@Suite(.enabled(if: FastCipher.isAvailable)) struct `TLS session with the fast cipher` {
  let scratch: Scratch
  let server: TLSContext

  init() throws {
    scratch = try Scratch()
    server = try .testServer(scratch, fastCipher: .on)
    #expect(server.usesFastCipher)
  }

  private func pair(
    _ version: TLSVersion = .tls13, suites: String? = nil, buffers: TLSBuffers = TLSBuffers()
  ) throws -> Pair {
    let client = try TLSContext.testClient(
      .file(scratch.file("certificate.pem")), most: version)
    if let suites {
      #expect(unsafe SSL_CTX_set_ciphersuites(client.raw[0], suites) == 1)
      if version == .tls12 { #expect(unsafe SSL_CTX_set_cipher_list(client.raw[0], suites) == 1) }
    }
    let pair = try Pair(server: server, client: client, buffers: buffers)
    pair.run()
    #expect(pair.server.closeReason == nil && !pair.server.isHandshaking)
    return pair
  }

  /// Sends frames of all sizes and long runs both ways, and compares.
  private func exchange(_ pair: Pair, _ numbers: inout Seeded, rounds: Int) throws {
    let page = [UInt8].random(200_000, &numbers)
    (pair.atClient, pair.atServer) = ([], [])
    var toClient: [UInt8] = []
    var toServer: [UInt8] = []
    for round in 0..<rounds {
      let head = Array(page[..<Int.random(in: 0...20, using: &numbers)])
      let most = round % 3 == 0 ? 200 : 16_384
      let size =
        round % 5 == 0 ? 16_384 - head.count : Int.random(in: 0...most - 20, using: &numbers)
      let at = Int.random(in: 0...100_000, using: &numbers)
      let body = page.span.extracting(at..<at + size)
      try #require(
        pair.server.write(head: head.span, body: body) == .done(bytes: head.count + size))
      toClient += head + page[at..<at + size]
      if round % 4 == 0 {
        guard case .done(let count) = pair.server.write(page.span) else { break }
        toClient += page[..<count]
      }
      guard case .done(let count) = pair.client.write(page.span.extracting(at..<at + 30_000)) else {
        break
      }
      toServer += page[at..<at + count]
      pair.run()
    }
    let arrived = pair.atClient == toClient && pair.atServer == toServer
    #expect(arrived && toClient.count > rounds && pair.client.closeReason == nil)
  }

  @Test(arguments: [
    ("TLS_AES_128_GCM_SHA256", TLSVersion.tls13, true),
    ("TLS_AES_256_GCM_SHA384", .tls13, true),
    ("TLS_CHACHA20_POLY1305_SHA256", .tls13, false),
    ("ECDHE-ECDSA-AES128-GCM-SHA256", .tls12, false),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", .tls12, false),
    ("ECDHE-ECDSA-CHACHA20-POLY1305", .tls12, false),
  ])
  func `large transfers come out with every cipher`(
    suite: String, version: TLSVersion, directly: Bool
  ) throws {
    let client = try TLSContext.testClient(.file(scratch.file("certificate.pem")), most: version)
    if version == .tls13 {
      #expect(unsafe SSL_CTX_set_ciphersuites(client.raw[0], suite) == 1)
    } else {
      #expect(unsafe SSL_CTX_set_cipher_list(client.raw[0], suite) == 1)
    }
    let pair = try Pair(server: server, client: client)
    pair.run()
    #expect(pair.server.cipherName == suite)
    #expect(pair.server.sealsDirectly == directly, "otherwise a copy is made, and that works too")
    var numbers = Seeded(state: 5)
    try exchange(pair, &numbers, rounds: 60)
  }

  @Test func `keys change in the middle of a transfer`() throws {
    let pair = try pair()
    var numbers = Seeded(state: 6)
    for round in 0..<6 {
      // Asked by the client, answered by the server before its next record; and the server's own.
      #expect(unsafe SSL_key_update(pair.client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1)
      if round % 2 == 0 {
        #expect(unsafe SSL_key_update(pair.server.ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1)
      }
      try exchange(pair, &numbers, rounds: 6)
    }
  }

  @Test func `a peer that asks for new keys and never reads cannot make output grow`() throws {
    let pair = try pair()
    let limit = pair.server.buffers.outputBufferBytes
    for _ in 0..<20_000 where pair.server.closeReason == nil {
      guard unsafe SSL_key_update(pair.client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1 else { break }
      _ = pair.client.write([1].span)
      Pair.move(from: pair.client, to: pair.server, .max, &pair.atServer)
      #expect(pair.server.pendingOutputBytes <= limit)
    }
    #expect([nil, .outputOverflow].contains(pair.server.closeReason))
  }

  @Test func `a decoy that another cipher seals is not sent`() throws {
    let client = try TLSContext.testClient(.anybody)
    #expect(unsafe SSL_CTX_set_ciphersuites(client.raw[0], "TLS_CHACHA20_POLY1305_SHA256") == 1)
    let pair = try Pair(server: server, client: client)
    pair.run()
    pair.server.sealsDirectly = true
    let page = [UInt8](repeating: 1, count: 1_000)
    #expect(pair.server.write(head: page.span.extracting(0..<0), body: page.span) == .closed)
    #expect(pair.server.closeReason == .failure && !pair.server.hasPendingOutput)
  }

  @Test func `plaintext that looks like a decoy from outside is plaintext`() throws {
    let pair = try pair()
    var page = [UInt8](repeating: 0, count: 2_000)
    #expect(pair.server.write(page.span) == .done(bytes: 2_000))
    page[20] = 0x7f
    #expect(pair.server.write(page.span) == .done(bytes: 2_000))
    pair.run()
    #expect(pair.atClient.count == 4_000)
  }

  @Test func `sessions of one loop share buffers and do not mix`() throws {
    let buffers = TLSBuffers(gatherRecords: 2, keep: 2)
    let pairs = try (0..<8).map { _ in try pair(buffers: buffers) }
    for (index, pair) in pairs.enumerated() {
      let page = [UInt8](repeating: UInt8(index), count: 5_000)
      #expect(pair.server.write(head: [9, 9].span, body: page.span) == .done(bytes: 5_002))
    }
    #expect(buffers.outputBuffersInUse == 8)
    for (index, pair) in pairs.enumerated().reversed() {
      pair.run()
      #expect(pair.atClient == [9, 9] + [UInt8](repeating: UInt8(index), count: 5_000))
    }
    #expect(buffers.outputBuffersInUse == 0)
  }

  @Test func `threads with their own buffers share a context`() async throws {
    let client = try TLSContext.testClient(.file(scratch.file("certificate.pem")))
    let server = server
    await withTaskGroup(of: Bool.self) { group in
      for seed in 0..<6 {
        group.addTask {
          for round in 0..<10 {
            guard let pair = try? Pair(server: server, client: client) else { return false }
            pair.run()
            let page = [UInt8](repeating: UInt8(seed * 16 + round), count: 16_000)
            guard pair.server.write(head: [1].span, body: page.span) == .done(bytes: 16_001) else {
              return false
            }
            pair.run()
            guard pair.atClient == [1] + page else { return false }
          }
          return true
        }
      }
      for await fine in group { #expect(fine) }
    }
  }

  @Test func `a client with the fast cipher talks to any server`() throws {
    let plain = try TLSContext.testServer(scratch)
    let client = try TLSContext.client(
      TLSClientConfiguration(trust: .file(scratch.file("certificate.pem")), fastCipher: .on))
    let pair = try Pair(server: plain, client: client)
    pair.run()
    let page = [UInt8](repeating: 3, count: 100_000)
    #expect(pair.client.write(page.span) == .done(bytes: 100_000))
    pair.run()
    #expect(pair.atServer.count == 100_000 && pair.atServer.allSatisfy { $0 == 3 })
  }
}
