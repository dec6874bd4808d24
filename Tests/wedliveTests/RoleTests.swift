import Cluster
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
}
