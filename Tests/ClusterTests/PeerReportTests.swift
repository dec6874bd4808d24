import Logging
import Testing

@testable import Cluster

@Suite struct `Nodes, as the log tells of them` {
  @Test func `that one doesn't answer is told once, and that it does again`() throws {
    let (one, two) = (try #require(NodeID("one")), try #require(NodeID("two")))
    var report = PeerReport()
    let causes: [(NodeID, String?)] = [
      (one, nil), (one, "no"), (one, "no"), (two, "no"), (one, "other"), (one, nil), (one, nil),
      (two, "no"),
    ]
    let lines = causes.map { report.line(for: $0, $1) }
    #expect(
      lines.map { $0?.level }
        == [nil, .warning, nil, .warning, nil, .notice, nil, nil])
    #expect(lines[1]?.text == "node one doesn't answer this one: no")
  }

  @Test func `who was to stop and is gone is no trouble`() throws {
    let one = try #require(NodeID("one"))
    var report = PeerReport()
    let line = report.line(for: one, "no", isStopping: true)
    #expect(line?.level == .info)
    #expect(line?.text == "node one has stopped, as it said: no")
    #expect(report.line(for: one, "no", isStopping: true) == nil)
  }

  @Test func `records that can't be believed are told of when there are more`() {
    var report = PeerReport()
    let lines = [0, 1, 1, 2, 0, 1].map { report.line(forRefused: $0) }
    #expect(lines.map { $0 != nil } == [false, true, false, true, false, true])
    #expect(lines[3]?.text.contains("2 nodes in Redis") == true)
    #expect(lines[3]?.text.contains("cluster.secret") == true)
  }
}
