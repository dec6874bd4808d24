import Foundation
import Storage
import Testing

@testable import wedlive

@Suite struct `Configuration`: ConfigurationTexts {
  @Test func `without a file, variables and options everything is at its default`() throws {
    #expect(try load(nil) == NodeConfiguration())
  }

  @Test(arguments: ["", "# only a comment\n", "---\n", "listen:\n"])
  func `an empty file changes nothing`(text: String) throws {
    #expect(try load(text) == NodeConfiguration())
  }

  @Test func `a file sets every type of value`() throws {
    let configuration = try load(
      """
      node:
        id: origin-1
      listen:
        rtmp: "0.0.0.0:19350"
        rtmps: off
        https: 0
        admin: "[::1]:9114"
      tls:
        fast_cipher: off
      rtmp:
        gop_cache: 8M
      streams:
        fragment: 2s
        window: 1.5m
      loops:
        count: 2
        pinned: yes
      proxy_protocol:
        trusted: [10.0.0.0/8, "::1"]
      """)
    #expect(configuration.node.id == "origin-1")
    #expect(configuration.listen.rtmp == .on(host: "0.0.0.0", port: 19350))
    #expect(configuration.listen.rtmps == .off)
    #expect(configuration.listen.https == .port(0))
    #expect(configuration.listen.admin == .on(host: "::1", port: 9114))
    #expect(configuration.tls.fastCipher == .off)
    #expect(configuration.streams.fragment == .seconds(2))
    #expect(configuration.streams.window == .seconds(90))
    #expect(configuration.rtmp.gopCache == 8 << 20)
    #expect(configuration.loops == LoopsSection(count: 2, pinned: true))
    #expect(configuration.proxyProtocol.trusted == ["10.0.0.0/8", "::1"])
  }

  @Test func `options win over variables, and these over the file`() throws {
    let text = "listen:\n  https: 1\n  http: 2\n  rtmp: 3\n"
    let configuration = try load(
      text, environment: ["WEDLIVE_LISTEN_HTTPS": "4", "WEDLIVE_LISTEN_HTTP": "5", "PATH": "/"],
      flags: [.init(name: "--https", key: "listen.https", value: "6")])
    #expect(configuration.listen.https == .port(6))
    #expect(configuration.listen.http == .port(5))
    #expect(configuration.listen.rtmp == .port(3))
  }

  @Test(arguments: ConfigurationTable.keys.map(\.path))
  func `every key can be set by its variable, to its default or example`(path: String) throws {
    let key = try #require(ConfigurationTable.key(path))
    let value = key.standard ?? key.example ?? ""
    // Files must be there, and the example of a hash is none: these are refused, by name.
    guard !key.isFile, path != "player.hls_js_integrity" else {
      #expect {
        try load(nil, environment: [key.environmentName: value.isEmpty ? "x" : value])
      } throws: {
        "\($0)".contains(path) || "\($0)".contains(key.environmentName)
      }
      return
    }
    let configuration = try load(
      nil, environment: [key.environmentName: value])
    #expect(key.format(configuration) == value)
  }

  @Test(arguments: [("sha256-", 32), ("sha384-", 48), ("sha512-", 64)])
  func `an integrity value has as many bytes as its hash`(kind: String, count: Int) throws {
    func read(_ bytes: Int) throws -> NodeConfiguration {
      let text = Data(repeating: 0xA5, count: bytes).base64EncodedString()
      return try load(nil, environment: ["WEDLIVE_PLAYER_HLS_JS_INTEGRITY": kind + text])
    }
    #expect(try read(count).player.hlsJSIntegrity?.hasPrefix(kind) == true)
    for wrong in [0, 1, count - 1, count + 1] {
      #expect(throws: (any Error).self, "\(wrong)") { try read(wrong) }
    }
    for text in ["sha384-…", "sha1-AAAA", "sha384-====", kind] {
      #expect(throws: (any Error).self, "\(text)") {
        try load(nil, environment: ["WEDLIVE_PLAYER_HLS_JS_INTEGRITY": text])
      }
    }
  }

  @Test func `a list is separated by commas in a variable`() throws {
    let configuration = try load(
      nil, environment: ["WEDLIVE_PROXY_PROTOCOL_TRUSTED": "10.0.0.1, 192.168.0.0/16"])
    #expect(configuration.proxyProtocol.trusted == ["10.0.0.1", "192.168.0.0/16"])
  }

  @Test func `an empty variable is an unset one`() throws {
    #expect(try load(nil, environment: ["WEDLIVE_NODE_REGION": ""]) == NodeConfiguration())
  }

  @Test func `keys are there once, and in a section that is described`() {
    let paths = ConfigurationTable.keys.map(\.path)
    #expect(Set(paths).count == paths.count)
    let sections = Set(ConfigurationTable.sections.map(\.name))
    #expect(paths.allSatisfy { sections.contains(String($0.prefix { $0 != "." })) })
    #expect(Set(ConfigurationTable.keys.map(\.environmentName)).count == paths.count)
  }
}
