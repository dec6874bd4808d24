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
    #expect(pair.server.write([1].span) == .wantRead)
    pair.run()
    #expect(!pair.server.isHandshaking && !pair.client.isHandshaking)
    #expect(pair.server.selectedProtocol == "h2" && pair.server.selectedHTTP2)
    #expect(pair.server.serverName == "localhost")
    #expect(pair.client.versionName == (version == .tls12 ? "TLSv1.2" : "TLSv1.3"))
    #expect(pair.server.cipherName?.contains("AES_128_GCM") == true || version == .tls12)
    let ping = Array("ping".utf8)
    #expect(pair.client.write(ping.span) == .done(bytes: 4))
    #expect(pair.server.write(head: ping.span, body: ping.span) == .done(bytes: 8))
    pair.run()
    #expect(pair.atServer == ping && pair.atClient == ping + ping)
    #expect(!pair.server.hasPendingOutput && pair.server.buffers.outputBuffersInUse == 0)
  }
}
