import Bytes
import COpenSSL
import Foundation
import TLS
import Testing

@Suite struct `TLS context` {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  // MARK: Names and protocols

  @Test(arguments: [
    ("a.example.org", "a.example.org"), ("A.Example.Org", "a.example.org"),
    ("x.example.org", "*.example.org"), ("x.y.example.org", "first.test"),
    ("example.org", "first.test"), ("", "first.test"),
  ])
  func `the server name chooses the certificate`(name: String, expected: String) throws {
    let authority = try CertificateAuthority(at: scratch.path)
    let certificates = try ["first.test", "a.example.org", "*.example.org"].map {
      try authority.leaf(names: [$0], at: scratch.file($0.replacing("*", with: "any")))
    }
    let server = try TLSContext.server(
      TLSServerConfiguration(certificates: certificates, fastCipher: .off))
    #expect(
      server.certificates.map(\.names) == [["first.test"], ["a.example.org"], ["*.example.org"]])
    let pair = try Pair(server: server, client: try .testClient(.anybody), name: name)
    pair.run()
    #expect(!pair.client.isHandshaking && pair.client.closeReason == nil)
    #expect(pair.server.selectedHTTP2)
    let der = try #require(pair.client.peerCertificate)
    #expect(String(decoding: der, as: UTF8.self).contains(expected))
  }

  @Test func `protocols are ours in our order, and none in common ends the handshake`() throws {
    let server = try TLSContext.testServer(scratch)
    let trust = TLSClientConfiguration.Trust.file(scratch.file("certificate.pem"))
    for (offer, chosen) in [
      (["http/1.1", "h2"], "h2"), (["spdy/3", "http/1.1"], "http/1.1"), ([], nil),
    ] as [([String], String?)] {
      let pair = try Pair(server: server, client: .testClient(trust, protocols: offer))
      pair.run()
      #expect(pair.server.selectedProtocol == chosen && !pair.server.isHandshaking)
    }
    let pair = try Pair(server: server, client: .testClient(trust, protocols: ["rtmp"]))
    pair.run()
    #expect(pair.server.closeReason == .noSharedProtocol)
    let rtmps = try TLSContext.testServer(scratch, protocols: [])
    let plain = try Pair(server: rtmps, client: .testClient(trust, protocols: ["rtmp"]))
    plain.run()
    #expect(plain.server.selectedProtocol == nil && !plain.server.isHandshaking)
  }

  @Test func `a version below TLS 1.2 is refused`() throws {
    let server = try TLSContext.testServer(scratch)
    let session = try #require(TLSSession(server: server, buffers: TLSBuffers()))
    // A client hello of TLS 1.1: record, handshake, version, random, no session, one cipher.
    var hello: [UInt8] = [1, 0, 0, 41, 3, 2] + [UInt8](repeating: 7, count: 32)
    hello += [0, 0, 2, 0xc0, 0x13, 1, 0]
    #expect(session.receive(([22, 3, 1, 0, 45] + hello).span) { _ in } == .closed)
    #expect(session.closeReason == .version && session.hasPendingOutput)
  }

  @Test func `a client does not trust a stranger, another name or another address`() throws {
    let server = try TLSContext.testServer(scratch, names: ["node.test"])
    let trust = TLSClientConfiguration.Trust.file(scratch.file("certificate.pem"))
    for name in ["localhost", "127.0.0.1", "::1", "node.test"] {
      let pair = try Pair(server: server, client: .testClient(trust), name: name)
      pair.run()
      #expect(pair.client.closeReason == nil && !pair.client.isHandshaking, "\(name)")
    }
    for (trust, name) in [(trust, "other.test"), (trust, "127.0.0.2"), (.system, "localhost")] {
      let pair = try Pair(server: server, client: .testClient(trust), name: name)
      pair.run()
      #expect(pair.client.closeReason == .certificateRefused)
      #expect(pair.client.verificationFailure != nil)
      #expect(pair.server.closeReason == .certificateRefusedByPeer)
    }
  }

  @Test func `leaves of an authority are trusted by whoever trusts it`() throws {
    let authority = try CertificateAuthority(at: scratch.path)
    let leaf = try authority.leaf(
      names: ["edge.test", "*.edge.test", "10.1.2.3"], at: scratch.file("edge"))
    let server = try TLSContext.server(TLSServerConfiguration(certificates: [leaf]))
    let client = try TLSContext.testClient(.file(authority.certificatePath))
    for (name, reason) in [
      ("edge.test", nil), ("a.edge.test", nil), ("10.1.2.3", nil),
      ("10.1.2.4", .certificateRefused),
      ("a.b.edge.test", .certificateRefused),
    ] as [(String, TLSCloseReason?)] {
      let pair = try Pair(server: server, client: client, name: name)
      pair.run()
      #expect(pair.client.closeReason == reason, "\(name)")
    }
  }

  @Test func `a stapled status reaches the client`() throws {
    var files = try SelfSignedCertificate.make(at: scratch.path)
    files.status = scratch.file("ocsp.der")
    let status: [UInt8] = [0x30, 3, 0x0a, 1, 6]
    #expect(
      FileManager.default.createFile(atPath: scratch.file("ocsp.der"), contents: Data(status)))
    let server = try TLSContext.server(TLSServerConfiguration(certificates: [files]))
    let pair = try Pair(server: server, client: .testClient(.anybody))
    pair.run()
    #expect(pair.client.peerStatus == status)
  }

  // MARK: Tickets

  @Test(arguments: [TLSVersion.tls12, .tls13])
  func `a ticket of one node is good at another with the same keys`(version: TLSVersion) throws {
    let key = try #require(TicketKey.random())
    let files = try SelfSignedCertificate.make(at: scratch.path)
    func node(_ keys: TicketKeys) throws -> TLSContext {
      try .server(TLSServerConfiguration(certificates: [files], fastCipher: .off), tickets: keys)
    }
    let client = try TLSContext.testClient(.file(files.certificate), most: version)
    let first = try Pair(server: node(TicketKeys(current: key)), client: client)
    first.run()
    #expect(!first.server.isResumed)
    let ticket = try #require(first.client.resumption)
    let second = try Pair(
      server: node(TicketKeys(current: #require(.random()), previous: key)), client: client,
      resuming: ticket)
    second.run()
    #expect(second.server.isResumed && second.client.isResumed)
    // Resumed with an old key: the client got a ticket of the new one.
    #expect(second.client.resumption != nil)
    let stranger = try Pair(server: node(.random()), client: client, resuming: ticket)
    stranger.run()
    #expect(!stranger.server.isResumed && !stranger.server.isHandshaking)
  }

  @Test func `each resumption gives a ticket for the next`() throws {
    let server = try TLSContext.testServer(scratch)
    let client = try TLSContext.testClient(.file(scratch.file("certificate.pem")))
    var ticket: TLSResumption?
    for round in 0..<5 {
      let pair = try Pair(server: server, client: client, resuming: ticket)
      pair.run()
      #expect(pair.server.isResumed == (round > 0))
      ticket = pair.client.resumption
    }
  }

  @Test func `ticket keys rotate each quarter of their lifetime and are kept past it`() throws {
    let given = TicketKeys(current: try #require(TicketKey.random()), previous: .random())
    var next = TicketKeySchedule(after: given, now: 1_000, lifetime: 400)
    #expect(next.keys == given && next.wait(now: 1_040) == 60)
    let isDue = next.rotate(now: 1_100)
    #expect(isDue && Array(next.keys.keys.dropFirst()) == given.keys)
    var schedule = TicketKeySchedule(lifetime: 400)
    var changed = schedule.rotate(now: 1_000)
    #expect(changed && schedule.keys.keys.count == 1)
    changed = schedule.rotate(now: 1_099)
    #expect(!changed && schedule.wait(now: 1_040) == 60)
    let first = schedule.keys.keys[0]
    var now = 1_100
    while now <= 1_600 {
      changed = schedule.rotate(now: now)
      #expect(changed)
      #expect(schedule.keys.keys.contains(first))
      now += 100
    }
    changed = schedule.rotate(now: 1_700)
    #expect(changed && !schedule.keys.keys.contains(first))
    #expect(schedule.keys.keys.count == 7)
    #expect(TicketKey(bytes: first.bytes) == first && TicketKey(bytes: [1]) == nil)
  }

  // MARK: Files

  @Test func `errors name the file and say what to do`() throws {
    let one = try SelfSignedCertificate.make(at: scratch.path)
    let other = try CertificateAuthority(at: scratch.path).leaf(names: ["x"], at: scratch.file("x"))
    func code(_ files: TLSCertificateFiles) -> TLSError.Code? {
      do {
        _ = try TLSContext.server(TLSServerConfiguration(certificates: [files]))
        return nil
      } catch {
        #expect(
          error.description.contains(files.certificate) || error.description.contains(files.key))
        if files.certificate == "/nonexistent.pem" {
          #expect(error.description.contains("No such file or directory"))
        }
        return error.code
      }
    }
    #expect(code(one) == nil)
    #expect(code(.init(certificate: "/nonexistent.pem", key: one.key)) == .unreadableCertificate)
    #expect(code(.init(certificate: one.certificate, key: "/nonexistent.pem")) == .unreadableKey)
    #expect(code(.init(certificate: one.key, key: one.key)) == .unreadableCertificate)
    #expect(code(.init(certificate: one.certificate, key: one.certificate)) == .unreadableKey)
    #expect(code(.init(certificate: one.certificate, key: other.key)) == .keyMismatch)
    #expect(throws: TLSError.self) {
      try TLSContext.server(TLSServerConfiguration(certificates: []))
    }
    #expect(throws: TLSError.self) {
      try TLSContext.client(TLSClientConfiguration(trust: .file("/nonexistent.pem")))
    }
    #expect(throws: TLSError.self) { try SelfSignedCertificate.make(at: "/nonexistent") }
  }

  @Test func `a made key is its owner's alone, and the certificate says how long it is good`()
    throws
  {
    let files = try SelfSignedCertificate.make(names: ["a.test"], at: scratch.path, days: 30)
    let mode = try FileManager.default.attributesOfItem(atPath: files.key)[.posixPermissions]
    #expect(mode as? Int == 0o600)
    let server = try TLSContext.server(TLSServerConfiguration(certificates: [files]))
    let summary = try #require(server.certificates.first)
    #expect(summary.names == ["localhost", "a.test"])
    #expect((29...30).contains(summary.secondsLeft / 86_400) && summary.warning == nil)
    for (days, word) in [(3, "expires"), (-3, "expired")] {
      let files = try SelfSignedCertificate.make(at: scratch.path, days: days)
      let server = try TLSContext.server(TLSServerConfiguration(certificates: [files]))
      #expect(server.certificates.first?.warning?.contains(word) == true)
    }
  }

  @Test func `changed files are loaded, bad ones reported once, and sessions live on`() throws {
    let files = try SelfSignedCertificate.make(names: ["old.test"], at: scratch.path)
    let source = try TLSContextSource(TLSServerConfiguration(certificates: [files]))
    let old = source.current
    let client = try TLSContext.testClient(.anybody)
    let pair = try Pair(server: old, client: client)
    pair.run()
    #expect(source.reloadIfChanged() == .unchanged && source.current === old)

    _ = try SelfSignedCertificate.make(names: ["new.test"], at: scratch.path)
    #expect(source.reloadIfChanged() == .replaced && source.current !== old)
    #expect(source.current.certificates.first?.names.last == "new.test")
    #expect(source.current.ticketKeys == old.ticketKeys)
    let resumed = try Pair(server: source.current, client: client, resuming: pair.client.resumption)
    resumed.run()
    #expect(resumed.server.isResumed)

    let good = source.current
    try Data("not a certificate".utf8).write(to: URL(fileURLWithPath: files.certificate))
    guard case .failed(let error) = source.reloadIfChanged() else {
      Issue.record("a bad file was taken")
      return
    }
    #expect(error.code == .unreadableCertificate && source.current === good)
    #expect(source.reloadIfChanged() == .unchanged, "reported once")
    #expect(source.reload() != .unchanged)
    #expect(pair.client.write([1, 2].span) == .done(bytes: 2))
    pair.run()
    #expect(pair.atServer == [1, 2])
  }

  @Test(.timeLimit(.minutes(1)))
  func `a pipe in place of a file is refused, and holds up no reload`() throws {
    let files = try SelfSignedCertificate.make(at: scratch.path)
    let pipe = scratch.file("pipe")
    try #require(unsafe mkfifo(pipe, 0o600) == 0)
    var odd: [TLSCertificateFiles] = [
      TLSCertificateFiles(certificate: pipe, key: files.key),
      TLSCertificateFiles(certificate: files.certificate, key: pipe), files,
    ]
    odd[2].status = pipe
    for files in odd {
      let error = #expect(throws: TLSError.self) {
        try TLSContext.server(TLSServerConfiguration(certificates: [files]))
      }
      #expect(error?.description.contains("\(pipe) is no regular file") == true)
    }
    let source = try TLSContextSource(TLSServerConfiguration(certificates: [files]))
    try FileManager.default.removeItem(atPath: files.certificate)
    try #require(unsafe mkfifo(files.certificate, 0o600) == 0)
    guard case .failed(let error) = source.reloadIfChanged() else {
      Issue.record("a pipe was taken")
      return
    }
    #expect(error.code == .unreadableCertificate)
  }
}
