import Cluster
import Foundation
import Testing

@testable import wedlive

@Suite struct `What a role needs of the configuration` {
  private func keys(
    _ role: NodeRole, _ change: (inout NodeConfiguration) -> Void = { _ in }
  ) -> [String] {
    var configuration = NodeConfiguration()
    change(&configuration)
    return RoleConsistency.problems(configuration, role).map(\.key)
  }

  private func meet(_ configuration: inout NodeConfiguration) {
    configuration.redis.url = "redis://127.0.0.1/0"
    configuration.cluster.secret = "what all nodes know"
    configuration.auth.secretFile = "/run/secrets/auth"
  }

  @Test func `a node by itself needs nothing`() { #expect(keys(.standalone) == []) }

  @Test func `an origin meets others, an edge others or upstreams`() {
    #expect(keys(.origin) == ["redis.url"])
    #expect(keys(.edge) == ["edge.upstreams, redis.url"])
    #expect(keys(.edge) { $0.edge.upstreams = ["https://a"] } == [])
    for role in NodeRole.allCases { #expect(keys(role, meet) == []) }
  }

  @Test(arguments: NodeRole.allCases) func `nodes that meet have secrets, and a port`(
    role: NodeRole
  ) {
    #expect(
      keys(role) { $0.redis.urlFile = "/run/secrets/redis" }.contains("cluster.secret"))
    #expect(
      keys(role) {
        meet(&$0)
        $0.auth.secretFile = nil
      } == ["auth.secret"])
    #expect(
      keys(role) {
        meet(&$0)
        $0.listen.https = .off
      } == ["listen.https"])
    #expect(
      keys(role) {
        meet(&$0)
        $0.cluster.tls = false
      } == ["cluster.tls"])
  }

  @Test func `what has ended is believed before origins close it`() {
    func closesSoon(_ configuration: inout NodeConfiguration) {
      configuration.rtmp.handshakeTimeout = .seconds(3)
    }
    for role in [NodeRole.origin, .edge] {
      #expect(
        keys(role) {
          meet(&$0)
          closesSoon(&$0)
        } == ["relay.after_end"])
      #expect(
        keys(role) {
          meet(&$0)
          closesSoon(&$0)
          $0.relay.afterEnd = .milliseconds(2_999)
        } == [])
    }
    // Nobody brings it streams by a relay.
    #expect(
      keys(.standalone) {
        meet(&$0)
        closesSoon(&$0)
      } == [])
  }

  @Test func `only an origin needs a port for what edges bring`() {
    func certified(_ configuration: inout NodeConfiguration) {
      meet(&configuration)
      configuration.cluster.certificate = "/etc/wedlive/node.pem"
      configuration.listen.peers = .on(host: nil, port: 8444)
    }
    #expect(keys(.origin, certified) == ["listen.peers_rtmps"])
    #expect(keys(.edge, certified) == [])
    #expect(
      keys(.edge) {
        certified(&$0)
        $0.listen.peers = .off
      } == ["listen.peers"])
  }

  @Test func `an edge finds no origins for connections without a cluster`() {
    func alone(_ configuration: inout NodeConfiguration) {
      configuration.edge.upstreams = ["https://a"]
      configuration.rtmp.proxy = .tcp
    }
    #expect(keys(.edge, alone) == ["rtmp.proxy"])
    #expect(
      keys(.edge) {
        alone(&$0)
        meet(&$0)
      } == [])
  }

  /// What `check --role` says of a file, without its name.
  private func said(_ role: NodeRole, _ text: String) throws -> [String] {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(
      "\(UUID().uuidString).yaml")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(text.utf8).write(to: file)
    let reading = ConfigurationLoader(file: file.path, environment: [:]).read()
    let all = RoleConsistency.faults(reading, role, file: file.path)
    return (all + RoleConsistency.unused(reading, role)).map {
      "\($0.place): \($0.key)".replacing(file.path, with: "f")
    }
  }

  @Test func `what is wrong stands at the key that has it matter, or is the file's`() throws {
    let meets = "redis:\n  url: redis://127.0.0.1/0\n"
    #expect(try said(.origin, meets) == ["f:2: cluster.secret", "f:2: auth.secret"])
    #expect(try said(.origin, "node:\n  id: a\n") == ["f: redis.url"])
    #expect(
      try said(.edge, "edge:\n  upstreams: []\n") == ["f:2: edge.upstreams, redis.url"])
    #expect(
      try said(
        .edge,
        meets + "listen:\n  https: off\ncluster:\n  secret: what all nodes know, and nobody else\n")
        == ["f:4: listen.https", "f:6: auth.secret"])
  }

  @Test
  func `what a role needs is said beside other faults, but for what those may have to do with`()
    throws
  {
    let other = "log:\n  level: loud\n"
    #expect(try said(.origin, other) == ["f: redis.url"])
    #expect(try said(.edge, other) == ["f: edge.upstreams, redis.url"])
    #expect(try said(.origin, other + "redis:\n  url: none\n") == [])
    #expect(try said(.edge, other + "edge:\n  upstreams: [none]\n") == [])
    let meets = other + "redis:\n  url: redis://127.0.0.1/0\n"
    #expect(try said(.origin, meets) == ["f:4: cluster.secret", "f:4: auth.secret"])
    #expect(
      try said(.origin, meets + "cluster:\n  secret_file: /nowhere/secret\n") == [
        "f:4: auth.secret"
      ])
    #expect(
      try said(.edge, meets + "cluster:\n  secret: short\n") == [])
    // Nothing is known of a file that can't be read.
    #expect(try said(.origin, "a: [\n") == [])
  }

  @Test func `a key that a role does nothing with is said`() throws {
    let keys = "listen:\n  peers_rtmps: 1937\nedge:\n  memory: 10m\nrecording:\n  enabled: true\n"
    #expect(
      try said(.edge, keys) == [
        "f: edge.upstreams, redis.url", "f:2: listen.peers_rtmps", "f:6: recording.enabled",
      ])
    #expect(try said(.origin, keys) == ["f: redis.url", "f:4: edge.memory"])
    #expect(try said(.standalone, keys) == ["f:4: edge.memory"])
    #expect(try said(.edge, "listen:\n  peers_rtmps: off\nedge:\n  upstreams: [https://a]\n") == [])
  }

  @Test func `a node by itself is told that a cluster's keys make an origin of it, or nothing`()
    throws
  {
    let keys = "cluster:\n  beat: 3s\n  secret: what all nodes know, and nobody else\n"
    #expect(try said(.standalone, keys) == ["f:2: cluster.beat"])
    let meets =
      keys + "auth:\n  secret: another that all nodes know, and nobody\nredis:\n  deadline: 4s\n"
    #expect(try said(.standalone, meets) == ["f:7: redis.deadline", "f:2: cluster.beat"])
    #expect(try said(.standalone, meets + "  url: redis://127.0.0.1/0\n") == ["f:8: redis.url"])
    #expect(try said(.origin, meets + "  url: redis://127.0.0.1/0\n") == [])
    #expect(try said(.edge, meets + "  url: redis://127.0.0.1/0\n") == [])
  }

  @Test func `a key of a section that a role does nothing with is said, but for those it uses`()
    throws
  {
    let keys =
      "streams:\n  fragment: 2s\n  window: 20s\nencryption:\n  method: off\n"
      + "relay:\n  queue: 2m\nedge:\n  slice: 2m\n  live_idle: 1m\n  upstreams: [https://a]\n"
    #expect(
      try said(.edge, keys) == [
        "f:3: streams.window", "f:5: encryption.method", "f:7: relay.queue",
      ])
    #expect(
      try said(.standalone, keys) == [
        "f:11: edge.upstreams", "f:9: edge.slice", "f:7: relay.queue",
      ])
  }
}
