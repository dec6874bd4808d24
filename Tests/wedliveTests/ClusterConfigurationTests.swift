import Foundation
import TLS
import Testing

@testable import wedlive

@Suite struct `What a CDN and a cluster need of the configuration` {
  private func faults(_ text: String) throws -> [String] {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(
      "\(UUID().uuidString).yaml")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(text.utf8).write(to: file)
    return ConfigurationLoader(file: file.path, environment: [:]).read().faults.map {
      "\($0)".replacing(file.path, with: "f")
    }
  }

  @Test(arguments: [
    (
      "cloudfront",
      ["cdn.cloudfront.distribution", "cdn.cloudfront.access_key", "cdn.cloudfront.secret_key"]
    ),
    ("cloudflare", ["cdn.cloudflare.zone", "cdn.cloudflare.token", "cdn.domain"]),
    ("fastly", ["cdn.fastly.service", "cdn.fastly.token", "cdn.domain"]),
    ("http", ["cdn.http.tag or cdn.http.prefix"]),
  ])
  func `each CDN asks for what it lacks`(provider: String, keys: [String]) throws {
    #expect(
      try faults("cdn:\n  provider: \(provider)\n")
        == keys.map { "f:2: cdn.provider: \(provider) needs \($0) beside it" })
  }

  @Test func `a call must end while nobody else may make one`() throws {
    let found = try faults("cdn:\n  hold: 30s\n  longest_pause: 500ms\n")
    #expect(
      found == [
        "f:2: cdn.hold: a call must end while nobody else may make one: cdn.hold must be 40s or more",
        "f:3: cdn.longest_pause: must not be less than cdn.first_pause",
      ])
  }

  @Test func `forms and headers are looked at`() throws {
    let sound = """
      cdn:
        provider: http
        http:
          tag: PURGE http://cache:6081/tags/{tag}
          prefix: BAN http://cache:6081{prefix}
          header: "X-Token: s3cret"
      """
    #expect(try faults(sound) == [])
    let found = try faults(
      """
      cdn:
        domain: https://live.example
        http:
          tag: http://cache:6081/tags/{tag}
          path: PURGE cache:6081{path}
          header: no colon
      """)
    #expect(found.count == 4, "\(found)")
    #expect(found.contains { $0.contains("cdn.http.header") && !$0.contains("no colon") })
  }

  @Test func `a provider is made of what is there`() throws {
    var configuration = NodeConfiguration()
    let none = try NodeCDN.provider(configuration)
    #expect(none == nil)
    configuration.cdn.provider = .fastly
    configuration.cdn.domain = "live.example:8443"
    configuration.cdn.fastly.service = "x"
    configuration.cdn.fastly.token = "t"
    let made = try NodeCDN.provider(configuration)
    #expect(made != nil)
    configuration.cdn.fastly.service = "no/service"
    #expect(throws: StartFailure.self) { try NodeCDN.provider(configuration) }
    configuration.cdn.provider = .cloudflare
    configuration.cdn.cloudflare.zone = "z"
    configuration.cdn.cloudflare.tokenFile = "/nowhere/token"
    #expect(throws: StartFailure.self) { try NodeCDN.provider(configuration) }
  }

  @Test func `nodes with certificates need all that belongs to them`() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let authority = try CertificateAuthority(at: folder.path)
    let files = try authority.leaf(names: ["n"], at: folder.path + "/n", isNode: true)
    let alone = try faults("cluster:\n  tls: false\n  certificate: \(files.certificate)\n")
    #expect(
      alone == [
        "f:3: cluster.certificate: needs cluster.key beside it",
        "f:3: cluster.certificate: needs cluster.ca beside it",
        "f:3: cluster.certificate: needs listen.peers beside it: a port for the other nodes alone",
        "f:3: cluster.certificate: needs cluster.tls, which is false",
      ])
    #expect(
      try faults("listen:\n  peers: 8444\n  peers_rtmps: 1937\ncluster:\n  key: \(files.key)\n")
        == [
          "f:5: cluster.key: needs cluster.certificate beside it",
          "f:2: listen.peers: needs cluster.certificate beside it",
          "f:3: listen.peers_rtmps: needs cluster.certificate beside it",
        ])
    let header = "relay:\n  proxy_header: true\n"
    #expect(
      try faults(header) == [
        "f:2: relay.proxy_header: needs cluster.certificate beside it: without, this node asks "
          + "origins at their listen.http, where they would want that header from it, too"
      ])
    let whole = """
      listen:
        peers: 8444
      cluster:
        ca: \(authority.certificatePath)
        certificate: \(files.certificate)
        key: \(files.key)
      """
    for text in [whole, whole + "\n" + header] { #expect(try faults(text) == []) }
    #expect(try faults(whole.replacing("8444", with: "8443")).count == 1)
  }

  @Test(arguments: [
    ("X-Token: a b", "X-Token", "a b"), ("x:1", "x", "1"),
  ])
  func `headers are a name and a value`(text: String, name: String, value: String) throws {
    let header = try #require(NodeCDN.header(text))
    #expect(header.name == name)
    #expect(header.value == value)
    #expect(NodeCDN.header("no colon") == nil)
    #expect(NodeCDN.header("a b: c") == nil)
    #expect(NodeCDN.header(": c") == nil)
    #expect(NodeCDN.header("a:") == nil)
  }
}
