import Foundation
import TLS
import Testing

@Suite struct `Certificates of clients` {
  let scratch: Scratch
  let authority: CertificateAuthority

  init() throws {
    scratch = try Scratch()
    authority = try CertificateAuthority(at: scratch.path)
  }

  private func node(_ name: String, of authority: CertificateAuthority) throws
    -> TLSCertificateFiles
  {
    try authority.leaf(
      names: ["localhost"], at: scratch.file(name), subject: name, isNode: true)
  }

  private func server(
    _ clients: TLSServerConfiguration.Clients, tickets: TicketKeys = .random(),
    protocols: [String] = ["h2"]
  ) throws -> TLSContext {
    try TLSContext.server(
      TLSServerConfiguration(
        certificates: [try node("server", of: authority)], protocols: protocols, fastCipher: .off,
        clients: clients), tickets: tickets)
  }

  private func client(
    _ files: TLSCertificateFiles?, protocols: [String] = ["h2"], most: TLSVersion = .tls13
  ) throws -> TLSContext {
    try TLSContext.client(
      TLSClientConfiguration(
        trust: .file(authority.certificatePath), certificate: files, protocols: protocols,
        fastCipher: .off, most: most))
  }

  /// Whether the server lets a client in, and knows it.
  private func meet(_ server: TLSContext, _ client: TLSContext) throws -> (
    isIn: Bool, isKnown: Bool
  ) {
    let pair = try Pair(server: server, client: client)
    pair.run()
    let isIn = !pair.server.isHandshaking && pair.server.closeReason == nil
    return (isIn, isIn && pair.server.isPeerCertified)
  }

  @Test(arguments: [TLSVersion.tls12, .tls13])
  func `where they are needed, only those of the authority are let in`(most: TLSVersion) throws {
    let server = try server(.certified(authorities: authority.certificatePath))
    let ours = try client(try node("ours", of: authority), most: most)
    #expect(try meet(server, ours) == (true, true))
    #expect(try meet(server, try client(nil, most: most)).isIn == false)
    try FileManager.default.createDirectory(
      atPath: scratch.file("other"), withIntermediateDirectories: true)
    let other = try CertificateAuthority(at: scratch.file("other"))
    let forged = try client(try node("forged", of: other), most: most)
    #expect(try meet(server, forged).isIn == false)
    // A server's certificate of the right authority is none of a node.
    let plain = try authority.leaf(names: ["localhost"], at: scratch.file("plain"))
    #expect(try meet(server, try client(plain, most: most)).isIn == false)
    let expired = try authority.leaf(
      names: ["localhost"], at: scratch.file("expired"), isNode: true, days: -1)
    #expect(try meet(server, try client(expired, most: most)).isIn == false)
  }

  @Test func `where none are asked for nobody is known`() throws {
    let server = try server(.anonymous)
    #expect(try meet(server, try client(try node("ours", of: authority))) == (true, false))
  }

  @Test(arguments: [TLSVersion.tls12, .tls13])
  func `a session of another port opens none`(most: TLSVersion) throws {
    let tickets = TicketKeys.random()
    let open = try server(.anonymous, tickets: tickets)
    let closed = try server(.certified(authorities: authority.certificatePath), tickets: tickets)
    let anybody = try client(nil, most: most)
    let first = try Pair(server: open, client: anybody)
    first.run()
    let ticket = try #require(first.client.resumption)
    let again = try Pair(server: open, client: anybody, resuming: ticket)
    again.run()
    #expect(again.server.isResumed)
    let second = try Pair(server: closed, client: anybody, resuming: ticket)
    second.run()
    #expect(second.server.closeReason != nil || second.server.isHandshaking)
    let ours = try Pair(
      server: closed, client: try client(try node("ours", of: authority), most: most))
    ours.run()
    #expect(ours.server.isPeerCertified)
    #expect(ours.client.resumption == nil)
  }

  @Test func `a new authority holds from the next connection on`() throws {
    let files = try node("server", of: authority)
    let path = scratch.file("authorities.pem")
    try FileManager.default.copyItem(atPath: authority.certificatePath, toPath: path)
    let source = try TLSContextSource(
      TLSServerConfiguration(
        certificates: [files], protocols: ["h2"], fastCipher: .off,
        clients: .certified(authorities: path)))
    let ours = try client(try node("ours", of: authority))
    #expect(try meet(source.current, ours).isIn)
    try FileManager.default.createDirectory(
      atPath: scratch.file("new"), withIntermediateDirectories: true)
    let new = try CertificateAuthority(at: scratch.file("new"))
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.copyItem(atPath: new.certificatePath, toPath: path)
    let outcome = source.reloadIfChanged()
    #expect(outcome == .replaced)
    #expect(try meet(source.current, ours).isIn == false)
  }

  @Test func `a client's certificate is read anew`() throws {
    let path = try node("ours", of: authority)
    let source = try TLSContextSource(
      TLSClientConfiguration(
        trust: .file(authority.certificatePath), certificate: path, protocols: ["h2"],
        fastCipher: .off))
    #expect(source.reloadIfChanged() == .unchanged)
    _ = try node("ours", of: authority)
    #expect(source.reloadIfChanged() == .replaced)
    let server = try server(.certified(authorities: authority.certificatePath))
    #expect(try meet(server, source.current) == (true, true))
  }

  @Test func `an authority is taken up again, and its key must be its own`() throws {
    let again = try CertificateAuthority(reading: scratch.path)
    let server = try server(.certified(authorities: authority.certificatePath))
    #expect(try meet(server, try client(try node("later", of: again))).isIn)
    try FileManager.default.createDirectory(
      atPath: scratch.file("other"), withIntermediateDirectories: true)
    _ = try CertificateAuthority(at: scratch.file("other"))
    try FileManager.default.removeItem(atPath: scratch.file("ca.key"))
    try FileManager.default.copyItem(
      atPath: scratch.file("other/ca.key"), toPath: scratch.file("ca.key"))
    #expect(throws: TLSError.self) { try CertificateAuthority(reading: scratch.path) }
  }

  @Test func `a server's own certificate is held against the authorities it asks of others`() throws
  {
    try FileManager.default.createDirectory(
      atPath: scratch.file("other"), withIntermediateDirectories: true)
    let other = try CertificateAuthority(at: scratch.file("other"))
    func check(_ files: TLSCertificateFiles, _ authorities: String) throws {
      let configuration = TLSServerConfiguration(
        certificates: [files], fastCipher: .off, clients: .certified(authorities: authorities))
      try TLSContext.server(configuration).requireOwnAuthority(configuration)
    }
    let ours = try node("ours", of: authority)
    try check(ours, authority.certificatePath)
    let error = try #require(throws: TLSError.self) { try check(ours, other.certificatePath) }
    #expect(error.code == .otherAuthority)
    for words in [ours.certificate, other.certificatePath, "tls.certificate"] {
      #expect(error.description.contains(words))
    }
    // As long as an authority is being replaced, both are in the file.
    let both = scratch.file("both.pem")
    let texts = try [other, authority].map {
      try String(contentsOfFile: $0.certificatePath, encoding: .utf8)
    }
    try texts.joined().write(toFile: both, atomically: true, encoding: .utf8)
    try check(ours, both)
    // That it is over is said elsewhere.
    try check(
      try authority.leaf(
        names: ["localhost"], at: scratch.file("expired"), isNode: true, days: -1),
      authority.certificatePath)
    let configuration = TLSServerConfiguration(certificates: [ours], fastCipher: .off)
    try TLSContext.server(configuration).requireOwnAuthority(configuration)
  }
}
