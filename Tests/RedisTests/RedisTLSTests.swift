import BlockingSupport
import RedisSupport
import Foundation
import Redis
import TLS
import Testing

@Suite(.blocking, .timeLimit(.minutes(2))) struct `Redis over TLS` {
  /// A server with a certificate for `localhost`, and who signed it.
  private static func server() throws -> (RedisServerProcess, authority: String) {
    let folder = NSTemporaryDirectory() + "wedlive-redis-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let authority = try CertificateAuthority(at: folder)
    let files = try authority.leaf(names: ["localhost"], at: folder + "/server")
    let server = try RedisServerProcess(
      folder: folder,
      settings: [
        "--port", "0", "--tls-port", "{port}", "--tls-cert-file", files.certificate,
        "--tls-key-file", files.key, "--tls-ca-cert-file", authority.certificatePath,
        "--tls-auth-clients", "no", "--requirepass", "secret",
      ])
    return (server, authority.certificatePath)
  }

  @Test func `commands and messages travel encrypted`() async throws {
    let (server, authority) = try Self.server()
    var configuration = try server.configuration("rediss://:secret@localhost:\(server.port)/1")
    configuration.trust = .file(authority)
    let client = try RedisClient(configuration)
    let value = [UInt8](repeating: 0x77, count: 300_000)
    try await client.send(RedisCommand("SET", "a", value))
    #expect(try await client.send(RedisCommand("GET", "a")).bytes == value)
    var events = client.subscribe("c").makeAsyncIterator()
    #expect(try await events.next() == .joined)
    try await client.send(RedisCommand("PUBLISH", "c", value))
    #expect(try await events.next() == .message(channel: "c", payload: value))
    await client.close()
  }

  /// The loss that a client of this address has.
  private static func loss(
    _ server: RedisServerProcess, _ text: String, trust: TLSClientConfiguration.Trust,
    within: Duration = .seconds(20)
  ) async throws -> RedisLoss {
    var configuration = try server.configuration(text)
    configuration.trust = trust
    configuration.connectDeadline = within
    let client = try RedisClient(configuration)
    for await state in client.changes { if case .lost(let loss) = state { return loss } }
    return .closed
  }

  @Test func `a certificate of another name, or of a stranger, is refused`() async throws {
    let (server, authority) = try Self.server()
    let name = try await Self.loss(
      server, "rediss://:secret@127.0.0.1:\(server.port)", trust: .file(authority))
    #expect(name.code == "tls")
    #expect("\(name)".contains("mismatch"))
    let stranger = try await Self.loss(
      server, "rediss://:secret@localhost:\(server.port)", trust: .system)
    #expect(stranger.code == "tls")
  }

  @Test func `TLS to a server without it, and none to one with it, fail`() async throws {
    let plain = try RedisServerProcess()
    let loss = try await Self.loss(
      plain, "rediss://localhost:\(plain.port)", trust: .anybody, within: .milliseconds(500))
    #expect(["tls", "closed_by_server", "silent"].contains(loss.code))
    let (server, _) = try Self.server()
    let other = try await Self.loss(
      server, "redis://localhost:\(server.port)", trust: .anybody)
    #expect(["closed_by_server", "protocol", "broken"].contains(other.code))
  }

  @Test func `authorities that can't be read are told at once`() throws {
    var configuration = RedisConfiguration(try RedisAddress("rediss://localhost"))
    configuration.trust = .file("/nowhere/ca.pem")
    let error = #expect(throws: RedisError.self) { try RedisClient(configuration) }
    #expect("\(try #require(error))".contains("/nowhere/ca.pem"))
  }
}
