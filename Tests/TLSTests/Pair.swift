import Bytes
import Foundation
import TLS
import Testing

/// A folder of its own for one test, gone with the last reference.
final class Scratch {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "wedlive-tls-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  func file(_ name: String) -> String { path + "/" + name }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A client's and a server's session that talk in memory.
final class Pair {
  let server: TLSSession
  let client: TLSSession
  var atServer: [UInt8] = []
  var atClient: [UInt8] = []

  init(
    server context: TLSContext, client: TLSContext, name: String = "localhost",
    resuming: TLSResumption? = nil, buffers: TLSBuffers = TLSBuffers()
  ) throws {
    server = try #require(TLSSession(server: context, buffers: buffers))
    self.client = try #require(
      TLSSession(client: client, serverName: name, buffers: buffers, resuming: resuming))
  }

  /// Carries bytes both ways, `cut` at a time, until nobody has any.
  func run(cut: Int = .max) {
    while client.hasPendingOutput || server.hasPendingOutput {
      while client.hasPendingOutput { Pair.move(from: client, to: server, cut, &atServer) }
      while server.hasPendingOutput { Pair.move(from: server, to: client, cut, &atClient) }
    }
  }

  static func move(
    from: TLSSession, to: TLSSession, _ cut: Int, _ plain: inout [UInt8]
  ) {
    let bytes = from.withOutput { [UInt8](copying: $0.extracting(first: min(cut, $0.count))) }
    from.consumeOutput(bytes.count)
    _ = to.receive(bytes.span) { plain.append(copying: $0) }
  }
}

extension TLSContext {
  /// A server of a self-signed certificate in `scratch`.
  static func testServer(
    _ scratch: Scratch, names: [String] = [], protocols: [String] = ["h2", "http/1.1"],
    fastCipher: FastCipher.Mode = .off, tickets: TicketKeys = .random()
  ) throws -> TLSContext {
    let files = try SelfSignedCertificate.make(names: names, at: scratch.path)
    return try server(
      TLSServerConfiguration(
        certificates: [files], protocols: protocols, fastCipher: fastCipher), tickets: tickets)
  }

  static func testClient(
    _ trust: TLSClientConfiguration.Trust, protocols: [String] = ["h2", "http/1.1"],
    least: TLSVersion = .tls12, most: TLSVersion = .tls13
  ) throws -> TLSContext {
    try client(
      TLSClientConfiguration(
        trust: trust, protocols: protocols, fastCipher: .off, least: least, most: most))
  }
}
