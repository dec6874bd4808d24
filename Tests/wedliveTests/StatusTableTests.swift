import Cluster
import EventLoop
import Origin
import Testing

@testable import wedlive

@Suite struct `Status for people` {
  @Test(
    arguments: [
      (0, "0 bit/s"), (999, "999 bit/s"), (1_000, "1 kbit/s"), (1_449, "1.4 kbit/s"),
      (9_949, "9.9 kbit/s"), (9_950, "10 kbit/s"), (999_499, "999 kbit/s"), (999_500, "1 Mbit/s"),
      (2_731_000, "2.7 Mbit/s"), (41_000_000, "41 Mbit/s"), (25_000_000_000, "25 Gbit/s"),
      (UInt64.max, "18446744074 Gbit/s"),
    ] as [(UInt64, String)])
  func `a rate has two digits or three, and its unit`(rate: UInt64, text: String) {
    #expect(BitrateText.rounded(rate) == text)
  }

  @Test func `columns are as wide as their widest word, and no line ends with a blank`() {
    var table = TextTable(head: ["a", "long head", "c"])
    table.add(["longer", "x", ""])
    table.add(["", "", "z"])
    #expect(
      table.text.split(separator: "\n", omittingEmptySubsequences: false) == [
        "a       long head  c", "longer  x", "                   z", "",
      ])
  }

  @Test func `streams have a line for each, and one for all that was sent by itself`() {
    let stream = StreamStatus(
      wedding: "anna", camera: "church",
      traffic: TrafficStatus(
        bytesIn: 5 << 20, bytesOut: 8 << 20, bitsInPerSecond: 2_700_000,
        bitsOutPerSecond: 40_000_000
      ), viewers: 17,
      sent: [
        SentStatus(receiver: "players", rendition: "source", bytesOut: 3 << 20),
        SentStatus(
          receiver: "viewers", rendition: nil, bytesOut: 5 << 20, bitsOutPerSecond: 40_000_000),
      ])
    let program = ProgramSummary(
      wedding: "anna", camera: "church", viewers: 2, traffic: TrafficStatus(bytesOut: 1 << 20),
      sent: [SentStatus(receiver: "nodes", rendition: "720p", bytesOut: 1 << 20)])
    let status = NodeStatus(node: "n", version: "1", streams: [stream], programs: [program])
    let lines = status.streamTable.split(separator: "\n").map {
      $0.split(separator: " ").joined(separator: " ")
    }
    #expect(
      lines == [
        "stream state viewers in received out sent",
        "anna/church live 17 2.7 Mbit/s 5m 40 Mbit/s 8m",
        "source to players 0 bit/s 3m",
        "playlists to viewers 40 Mbit/s 5m",
        "anna/program live 2 0 bit/s 1m",
        "720p to nodes 0 bit/s 1m",
      ])
  }

  @Test func `nodes say what they receive and send, where they know it`() throws {
    let json = """
      {"isCoordinated":true,"node":"a","nodes":[
      {"id":"a","role":"edge","region":"eu","status":"usable","version":"1","address":"h:1",
      "uptimeSeconds":60,"publishers":0,"viewers":3,"memoryBytes":1048576,
      "bitsInPerSecond":2500000,"bitsOutPerSecond":-1},
      {"id":"b","role":"origin","region":"eu","status":"usable","version":"0","address":"h:2",
      "uptimeSeconds":60,"publishers":1,"viewers":0,"memoryBytes":1048576}]}
      """
    let status = try #require(ClusterStatus(json: Array(json.utf8)))
    let lines = status.table.split(separator: "\n").map {
      $0.split(separator: " ").joined(separator: " ")
    }
    #expect(lines[1].contains(" 3 2.5 Mbit/s 0 bit/s 1m "))
    #expect(lines[2].hasSuffix(" 1 0 - - 1m 1m"))
    #expect(ClusterStatus(json: status.json) == status)
  }

  @Test func `what fails at a node is said below the table, and that it is the last choice`() throws
  {
    let now = MonotonicTime(nanoseconds: 1_000_000_000_000)
    var view = ClusterView(own: try #require(NodeID("o")), isCoordinated: true)
    for (name, role) in [("o", NodeRole.origin), ("e", .edge)] {
      var record = NodeRecord(
        id: try #require(NodeID(name)), role: role, region: "eu",
        addresses: NodeAddresses(http: "\(name):1"), version: "1")
      record.state = .ready
      record.condition =
        role == .edge
        ? NodeCondition(remark: "no origin can be reached") : NodeCondition(fault: "No disk")
      view.nodes[record.id] = KnownNode(record: record, began: now, written: now)
    }
    let status = ClusterStatus(view, now: now)
    #expect(
      status.table.hasSuffix(
        """

        e: no origin can be reached.

        o: No disk. New streams go there only where no other origin is left.

        """), "\(status.table)")
    #expect(status.nodes.map(\.status) == ["usable", "faulty"])
    let json = String(decoding: status.json, as: UTF8.self)
    #expect(json.contains(#""fault":"No disk""#) && json.contains(#""fault":null"#))
    #expect(ClusterStatus(json: status.json) == status)
  }

  @Test func `a node that is down has no figures, and when it was seen last`() throws {
    let now = MonotonicTime(nanoseconds: 1_000_000_000_000)
    var view = ClusterView(own: try #require(NodeID("a")))
    for name in ["a", "b"] {
      var record = NodeRecord(
        id: try #require(NodeID(name)), role: .edge, region: "eu",
        addresses: NodeAddresses(http: "\(name):1"), version: "1")
      record.state = .ready
      record.uptime = .seconds(60)
      record.load.viewers = 7
      record.load.publishers = 5
      record.load.bitrateIn = 3_000
      record.load.memory = 1 << 20
      var node = KnownNode(record: record, began: now, written: now + .seconds(-90))
      node.isDown = name == "b"
      node.isLost = node.isDown
      node.answered = now + .seconds(-30)
      view.nodes[node.id] = node
    }
    let status = ClusterStatus(view, now: now)
    let lines = status.table.split(separator: "\n").map {
      $0.split(separator: " ").joined(separator: " ")
    }
    #expect(
      Array(lines.prefix(3)) == [
        "node role region status publishers viewers in out memory up last seen",
        "a edge eu usable 5 7 3 kbit/s 0 bit/s 1m 1m", "b edge eu down - - - - - - 30s ago",
      ])
    let json = String(decoding: status.json, as: UTF8.self)
    #expect(
      json.contains(
        #""id":"b","lastSeenSeconds":30,"memoryBytes":null,"publishers":null,"region":"eu","#))
    #expect(ClusterStatus(json: status.json) == status)
  }
}
