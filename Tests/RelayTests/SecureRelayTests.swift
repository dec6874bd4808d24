import EventLoop
import Foundation
import Ingest
import Media
import RTMP
import TLS
import Testing

@testable import Relay

@Suite struct `Relay over TLS` {
  @Test func `publishers and origins may be reached over TLS, and an origin lost so too`() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("relay-\(UInt64.random(in: 0 ... .max))").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true)
    let files = try SelfSignedCertificate.make(names: [], at: folder)
    let server = try TLSContext.server(
      TLSServerConfiguration(certificates: [files], protocols: []))
    let client = try TLSContext.client(TLSClientConfiguration(trust: .file(files.certificate)))
    var configuration = RelayConfiguration()
    configuration.sendsProxyHeader = true
    let rig = try RelayRig(configuration, context: server)
    let origins = try ["o1", "o2"].map {
      try rig.origin($0, trustedProxies: ["127.0.0.1"], context: server)
    }
    rig.origins = origins.map {
      RelayTarget(
        name: $0.name, host: "127.0.0.1", port: $0.port, tls: client, serverName: "localhost")
    }
    // One whose certificate is another's.
    rig.origins.insert(
      RelayTarget(
        name: "o0", host: "127.0.0.1", port: origins[0].port, tls: client,
        serverName: "other.example"), at: 0)
    let encoder = try rig.encoder(context: client)
    #expect(rig.turns { encoder.isStarted })
    encoder.sendHeaders()
    encoder.sendPictures(0..<200, bytes: 9_000)
    #expect(rig.turns { origins[0].messages.count == encoder.sent.count })
    #expect(origins[0].messages == encoder.sent)
    origins[0].die()
    encoder.sendPictures(200..<230)
    encoder.leave()
    #expect(rig.turns { origins[1].takes.first?.ended != nil && rig.isEmpty })
    #expect(origins[1].messages.last == encoder.sent.last)
    #expect(origins[1].takes.first?.ended == "unpublished")
    #expect(rig.notices.first?.words.contains("certificate") == true)
    #expect(rig.questions.prefix(2) == [[], ["o0"]])
    #expect(rig.questions.last?.contains("o1") == true)
  }
}
