import Foundation
import HTTPClient
import HTTPTypes
import Testing

/// Debian's nginx with a certificate of its own making, HTTP/2 over TLS; or OpenSSL's server, that
/// takes nobody without a certificate in the handshake, where nginx says it afterwards.
private final class TLSServer: Sendable {
  static let isInstalled = ["/usr/sbin/nginx", "/usr/bin/openssl"]
    .allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }

  let folder: String
  let port: Int
  private let process: Process

  init(wantsCertificate: Bool = false) throws {
    folder = NSTemporaryDirectory() + "wedlive-tls-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    port = Int.random(in: 20_000..<30_000)
    try TLSServer.run(
      "/usr/bin/openssl",
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
        "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
        "\(folder)/key.pem", "-out", "\(folder)/cert.pem",
      ])
    let text = """
      daemon off; master_process off; worker_processes 1; pid \(folder)/pid; error_log \(folder)/log;
      events { worker_connections 64; }
      http { access_log off; client_body_temp_path \(folder)/b; proxy_temp_path \(folder)/p;
        fastcgi_temp_path \(folder)/f; uwsgi_temp_path \(folder)/u; scgi_temp_path \(folder)/s;
        server { listen 127.0.0.1:\(port) ssl http2; ssl_certificate \(folder)/cert.pem;
          ssl_certificate_key \(folder)/key.pem;
          location / { return 200 "$server_protocol $connection"; } } }
      """
    try text.write(toFile: "\(folder)/conf", atomically: true, encoding: .utf8)
    process = Process()
    if wantsCertificate {
      process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
      process.arguments = [
        "s_server", "-accept", "127.0.0.1:\(port)", "-key", "\(folder)/key.pem", "-cert",
        "\(folder)/cert.pem", "-CAfile", "\(folder)/cert.pem", "-Verify", "1", "-www", "-quiet",
      ]
    } else {
      process.executableURL = URL(fileURLWithPath: "/usr/sbin/nginx")
      process.arguments = ["-p", folder, "-e", "\(folder)/log", "-c", "\(folder)/conf"]
    }
    process.standardError = FileHandle.nullDevice
    try process.run()
  }

  deinit {
    // A child of a concurrency thread is born with every signal blocked: only this one ends it.
    kill(process.processIdentifier, SIGKILL)
    try? FileManager.default.removeItem(atPath: folder)
  }

  private static func run(_ tool: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
  }
}

@Suite(.enabled(if: TLSServer.isInstalled)) struct `HTTP client over TLS` {
  @Test func `HTTP 2 is used when offered, a stranger's certificate is refused`() async throws {
    let server = try TLSServer()
    let request = HTTPRequest(
      method: .get, scheme: "https", authority: "localhost:\(server.port)", path: "/")
    var trusting = HTTPClientConfiguration()
    trusting.certificateAuthorities = "\(server.folder)/cert.pem"
    let client = try HTTPClient(trusting)
    var answers: [String] = []
    // The server needs a moment to listen: until then nobody does.
    for _ in 0..<200 where answers.count < 2 {
      do throws(HTTPClientError) {
        let (_, body) = try await client.send(request, deadline: .seconds(20))
        answers.append(String(decoding: body, as: UTF8.self))
      } catch {
        #expect(error.code == .unreachable)
        try await Task.sleep(for: .milliseconds(50))
      }
    }
    #expect(answers.first?.hasPrefix("HTTP/2.0 ") == true)
    #expect(Set(answers).count == 1 && answers.count == 2)

    let stranger = try HTTPClient()
    await #expect {
      _ = try await stranger.send(request, deadline: .seconds(20))
    } throws: { error in
      guard let error = error as? HTTPClientError else { return false }
      return error.code == .tls && error.fault == .theirs && !error.canRetry
    }
  }

  @Test func `a server that wants a certificate and gets none has said why`() async throws {
    let server = try TLSServer(wantsCertificate: true)
    let request = HTTPRequest(
      method: .get, scheme: "https", authority: "localhost:\(server.port)", path: "/")
    var trusting = HTTPClientConfiguration()
    trusting.certificateAuthorities = "\(server.folder)/cert.pem"
    let client = try HTTPClient(trusting)
    var refusal: HTTPClientError?
    for _ in 0..<200 where refusal == nil {
      do throws(HTTPClientError) {
        _ = try await client.send(request, deadline: .seconds(20))
        Issue.record("it was let in")
        return
      } catch {
        guard error.code == .unreachable else {
          refusal = error
          continue
        }
        try await Task.sleep(for: .milliseconds(50))
      }
    }
    #expect(refusal?.code == .tls)
    #expect(refusal?.message.contains("certificate required") == true)
  }
}
