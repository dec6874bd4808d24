import EventLoop
import Logging
import Redis
import Testing

@testable import Cluster

@Suite struct `Redis, as the log tells of it` {
  @Test func `is lost once and back once, however often it was tried`() {
    let server = RedisServer(
      address: "10.0.0.1:6379", version: "7.0.15", role: "master", mode: "standalone")
    let gone = RedisLoss.unreachable(SystemError("connect", 111), at: "10.0.0.1:6379")
    var report = RedisReport()
    let lines = [
      .connecting, .connected(server, connection: 1), .lost(.closedByServer), .lost(gone),
      .lost(gone), .connected(server, connection: 2), .lost(gone), .closed,
    ].map { report.line(for: $0) }
    #expect(lines.map { $0?.level } == [nil, nil, .warning, nil, nil, .notice, .warning, nil])
    let lost = lines.last { $0 != nil }??.text ?? ""
    #expect(lost.contains("10.0.0.1:6379 can't be reached"))
    // What nobody else warns of then.
    for part in ["locks and cameras", "other nodes", "purges", "stream keys", "TLS tickets"] {
      #expect(lost.contains(part))
    }
  }

  @Test func `that was never there isn't lost`() {
    let gone = RedisLoss.unreachable(SystemError("connect", 111), at: "10.0.0.1:6379")
    let server = RedisServer(
      address: "10.0.0.1:6379", version: "7.0.15", role: "master", mode: "standalone")
    var report = RedisReport()
    #expect(
      report.line(for: .lost(gone))?.text.contains("hasn't been reached yet (redis.url)") == true)
    #expect(report.line(for: .lost(gone)) == nil)
    #expect(
      report.line(for: .connected(server, connection: 1))?.text.hasPrefix("Redis is there") == true)
    #expect(report.line(for: .lost(gone))?.text.hasPrefix("Redis is lost") == true)
    #expect(
      report.line(for: .connected(server, connection: 2))?.text.hasPrefix("Redis is back") == true)
  }
}
