import EventLoop
import Testing

@testable import Cluster

@Suite struct `Rules by which nodes come and go` {
  private static let start = MonotonicTime(nanoseconds: 1_000_000_000_000)
  private static let limits = ClusterConfiguration()

  private var table: NodeTable

  init() throws { table = NodeTable(own: try record("own").id, checks: true, Self.limits) }

  private func at(_ seconds: Double) -> MonotonicTime {
    Self.start + .milliseconds(Int64(seconds * 1_000))
  }

  private func beat(
    _ number: Int64, of name: String = "a", _ change: (inout NodeRecord) -> Void = { _ in }
  ) throws -> NodeTable.Reading {
    guard let id = NodeID(name) else { return .malformed }
    var record = NodeRecord(
      id: id, role: .origin, region: "here", addresses: NodeAddresses(http: "a:1"), version: "1",
      incarnation: "first")
    record.state = .ready
    record.beat = number
    record.uptime = .seconds(100)
    change(&record)
    return .record(record, age: .seconds(1))
  }

  private func id(_ name: String = "a") throws -> NodeID { try record(name).id }

  /// Runs each check that is due with one outcome.
  private mutating func check(_ passes: Bool, at seconds: Double) {
    for record in table.takeDueChecks(atMost: 9, at: at(seconds)) {
      table.checked(record, passed: passes, at: at(seconds))
    }
  }

  private func node(at seconds: Double, _ name: String = "a") throws -> KnownNode? {
    table.nodes(at: at(seconds))[try id(name)]
  }

  @Test mutating func `silence alone removes nobody, nor do failed checks alone`() throws {
    table.read(try id(), try beat(1), absenceCounts: true, at: at(0))
    table.read(try id(), .absent, absenceCounts: true, at: at(8))
    check(true, at: 8)
    #expect(table.sweep(coordinated: true, at: at(900)) == [])
    #expect(try node(at: 900)?.isUsable == true)
    #expect(try node(at: 900)?.isSuspect == true)
    table.read(try id(), try beat(2), absenceCounts: true, at: at(900))
    for time in 901...920 { check(false, at: Double(time)) }
    #expect(table.sweep(coordinated: true, at: at(920)) == [])
    #expect(try node(at: 920)?.isDown == true)
  }

  @Test mutating func `who is down was seen last by its record, or its answer to a check`() throws {
    table.read(try id(), try beat(1), absenceCounts: true, at: at(0))
    check(true, at: 4)
    // Of one that is well, its record says enough.
    #expect(try node(at: 5)?.seen == at(-1))
    for time in 6...9 { check(false, at: Double(time)) }
    #expect(try node(at: 9)?.isDown == true)
    #expect(try node(at: 9)?.seen == at(4))
    table.read(try id(), try beat(2), absenceCounts: true, at: at(9))
    #expect(try node(at: 9)?.seen == at(8))
  }

  @Test mutating func `both together remove it, but not while Redis is away`() throws {
    table.read(try id(), try beat(1), absenceCounts: true, at: at(0))
    table.read(try id(), .absent, absenceCounts: true, at: at(8))
    for time in 0..<3 { check(false, at: 8 + Double(time)) }
    #expect(table.sweep(coordinated: false, at: at(12)) == [])
    #expect(table.sweep(coordinated: true, at: at(12)) == [try id()])
    #expect(table.nodes(at: at(12)).isEmpty)
  }

  @Test mutating func `absence says nothing while Redis has just come back`() throws {
    table.read(try id(), try beat(1), absenceCounts: true, at: at(0))
    table.read(try id(), .absent, absenceCounts: false, at: at(8))
    #expect(try node(at: 8)?.isSuspect == false)
  }

  @Test mutating func `a suspect gets nothing until it has answered`() throws {
    table.read(try id(), try beat(1), absenceCounts: true, at: at(0))
    check(true, at: 0)
    table.read(try id(), .absent, absenceCounts: true, at: at(8))
    #expect(try node(at: 8)?.isReachable == false)
    // It is checked at once, not when its turn comes.
    check(true, at: 8)
    #expect(try node(at: 8)?.isUsable == true)
  }

  @Test mutating func `without checks, silence has a limit`() throws {
    table = NodeTable(own: try id("own"), checks: false, Self.limits)
    table.read(try id(), try beat(1), absenceCounts: true, at: at(0))
    table.read(try id(), .absent, absenceCounts: true, at: at(8))
    #expect(table.sweep(coordinated: true, at: at(37)) == [])
    #expect(table.sweep(coordinated: true, at: at(39)) == [try id()])
  }

  @Test
  mutating func
    `a node that doesn't answer is suspect first, and down when nothing shows that it lives`()
    throws
  {
    table.read(try id(), try beat(1), absenceCounts: true, at: at(0))
    check(true, at: 0)
    for time in [2.0, 2.5, 3.0] { check(false, at: time) }
    #expect(try node(at: 3)?.status == "suspect")
    #expect(try node(at: 3)?.isReachable == false)
    // Its heartbeat is still there, and nothing new comes.
    #expect(try node(at: 5.5)?.status == "suspect")
    #expect(try node(at: 6)?.status == "down")
    table.read(try id(), try beat(2), absenceCounts: true, at: at(7))
    #expect(try node(at: 7)?.status == "suspect")
    // One that says it lives, and never answers, is none that anybody can use.
    table.read(try id(), try beat(3), absenceCounts: true, at: at(11))
    #expect(try node(at: 11)?.status == "suspect")
    #expect(try node(at: 12)?.status == "down")
    table.read(try id(), .absent, absenceCounts: true, at: at(8))
    #expect(try node(at: 8)?.status == "down")
  }

  @Test mutating func `a node that is gone without a word is remembered until it is back`() throws {
    table.read(try id(), try beat(1), absenceCounts: true, at: at(0))
    table.read(try id(), .absent, absenceCounts: true, at: at(8))
    for time in 8...10 { check(false, at: Double(time)) }
    #expect(table.sweep(coordinated: true, at: at(11)) == [try id()])
    #expect(try node(at: 11) == nil)
    #expect(table.lost[try id()]?.status == "down")
    #expect(table.lost[try id()]?.seen == at(-1))
    _ = table.sweep(coordinated: true, at: at(610))
    #expect(table.lost.count == 1)
    let forgetful = table
    _ = table.sweep(coordinated: true, at: at(611))
    #expect(table.lost.isEmpty)

    table = forgetful
    table.read(try id(), try beat(2), absenceCounts: true, at: at(20))
    #expect(table.lost.isEmpty)
    #expect(try node(at: 20)?.isUsable == true)
    // One that was stopped is no loss.
    table = forgetful
    table.left(try id())
    #expect(table.lost.isEmpty)
  }

  @Test(arguments: ["its record", "an answer", "a word"])
  mutating func `a node that was drained is no loss, whoever told of it`(way: String) throws {
    table.read(
      try id(), try beat(1) { if way == "its record" { $0.state = .draining } },
      absenceCounts: true, at: at(0))
    check(true, at: 0)
    if way == "an answer" {
      let record = try #require(table.takeDueChecks(atMost: 1, at: at(2)).first)
      table.checked(record, passed: true, isLeaving: true, at: at(2))
    }
    if way == "a word" { table.heard(leaving: try id()) }
    #expect(try node(at: 2)?.status == "draining")
    #expect(try node(at: 2)?.isReachable == true)
    for time in [4.0, 4.5, 5.0] { check(false, at: time) }
    #expect(try node(at: 5)?.status == "suspect")
    // Redis is away: nobody is removed.
    #expect(table.sweep(coordinated: false, at: at(8)) == [])
    #expect(try node(at: 8)?.status == "drained")
    table.read(try id(), .absent, absenceCounts: true, at: at(9))
    #expect(table.sweep(coordinated: true, at: at(9)) == [try id()])
    #expect(table.lost.isEmpty)
  }

  @Test mutating func `one that answers again without a word of leaving is another process`() throws
  {
    table.read(try id(), try beat(1), absenceCounts: true, at: at(0))
    table.heard(leaving: try id())
    for time in [1.0, 1.5, 2.0] { check(false, at: time) }
    check(true, at: 3)
    #expect(try node(at: 3)?.status == "usable")
    table.read(try id(), .absent, absenceCounts: true, at: at(9))
    for time in [9.0, 9.5, 10.0] { check(false, at: time) }
    #expect(table.sweep(coordinated: true, at: at(11)) == [try id()])
    #expect(table.lost[try id()]?.status == "down")
  }

  @Test
  mutating func `one says that something fails, or no more, by its record or when asked`()
    throws
  {
    func checked(_ isAiling: Bool, at seconds: Double) throws {
      let record = try #require(table.takeDueChecks(atMost: 1, at: at(seconds)).first)
      table.checked(record, passed: true, isAiling: isAiling, at: at(seconds))
    }
    table.read(
      try id(), try beat(1) { $0.condition.fault = "No disk" }, absenceCounts: true, at: at(0))
    #expect(try node(at: 0)?.status == "faulty")
    #expect(try node(at: 0)?.fault == "No disk")
    #expect(try node(at: 0)?.isUsable == true)
    try checked(true, at: 1)
    #expect(try node(at: 1)?.fault == "No disk")
    // Redis is away, and doesn't say that it is well again: it says so itself.
    try checked(false, at: 4)
    #expect(try node(at: 4)?.status == "usable")
    #expect(try node(at: 4)?.fault == nil)
    try checked(true, at: 7)
    #expect(try node(at: 7)?.fault == "No disk")
    table.read(try id(), try beat(2), absenceCounts: true, at: at(8))
    #expect(try node(at: 8)?.status == "usable")
    // What is said of a fault without Redis has no words.
    try checked(true, at: 10)
    #expect(try node(at: 10)?.fault == "It says that something fails there")
    // The same heartbeat read again is no news.
    table.read(try id(), try beat(2), absenceCounts: true, at: at(11))
    #expect(try node(at: 11)?.status == "faulty")
  }

  @Test mutating func `what it says while a check is under way is newer than that check's answer`()
    throws
  {
    func begin(at seconds: Double) throws -> NodeRecord {
      try #require(table.takeDueChecks(atMost: 1, at: at(seconds)).first)
    }
    table.read(
      try id(), try beat(1) { $0.condition.fault = "No disk" }, absenceCounts: true, at: at(0))
    var asked = try begin(at: 0)
    table.read(try id(), try beat(2), absenceCounts: true, at: at(0.1))
    table.checked(asked, passed: true, isAiling: true, at: at(0.2))
    #expect(try node(at: 0.2)?.status == "usable")
    asked = try begin(at: 4)
    table.heard(leaving: try id())
    table.checked(asked, passed: true, at: at(4.1))
    #expect(try node(at: 4.1)?.status == "draining")
    // The next one has begun behind that.
    asked = try begin(at: 8)
    table.checked(asked, passed: true, isAiling: true, at: at(8.1))
    #expect(try node(at: 8.1)?.status == "faulty")
  }

  @Test mutating func `who has said that it will be gone, or has gone, is stopping`() throws {
    #expect(table.isStopping(try id()))
    table.read(try id(), try beat(1), absenceCounts: true, at: at(0))
    #expect(!table.isStopping(try id()))
    table.heard(leaving: try id())
    #expect(table.isStopping(try id()))
    // Its next process says nothing of that.
    let asked = try #require(table.takeDueChecks(atMost: 1, at: at(0)).first)
    table.checked(asked, passed: true, at: at(0.1))
    #expect(!table.isStopping(try id()))
    table.read(try id(), try beat(2) { $0.state = .draining }, absenceCounts: true, at: at(1))
    #expect(table.isStopping(try id()))
    table.left(try id())
    #expect(table.isStopping(try id()))
  }

  @Test mutating func `no more that are gone are remembered than may be`() throws {
    for round in 0..<2 {
      for number in 0..<200 {
        let name = "n\(round)-\(number)"
        table.read(try id(name), try beat(1, of: name), absenceCounts: true, at: at(0))
        table.read(try id(name), .absent, absenceCounts: true, at: at(8))
      }
      for time in 8...10 {
        for record in table.takeDueChecks(atMost: 200, at: at(Double(time))) {
          table.checked(record, passed: false, at: at(Double(time)))
        }
      }
      #expect(table.sweep(coordinated: true, at: at(11 + Double(round))).count == 200)
    }
    #expect(table.lost.count == Self.limits.nodes)
    #expect(table.lost[try id("n1-7")] != nil)
  }

  @Test mutating func `an old record that is put back is no sign of life`() throws {
    table.read(try id(), try beat(7), absenceCounts: true, at: at(0))
    table.read(try id(), .absent, absenceCounts: true, at: at(8))
    table.read(try id(), try beat(7), absenceCounts: true, at: at(9))
    #expect(try node(at: 9)?.isSuspect == true)
    table.read(
      try id(), try beat(3) { $0.load.publishers = 99 }, absenceCounts: true, at: at(10))
    #expect(try node(at: 10)?.record.load.publishers == 0)
    table.read(try id(), try beat(8), absenceCounts: true, at: at(11))
    #expect(try node(at: 11)?.isSuspect == false)
  }

  @Test mutating func `three failures within 30 s, and it is left alone for 30 s`() throws {
    table.read(try id(), try beat(1), absenceCounts: true, at: at(0))
    table.reported(try id(), succeeded: false, at: at(0))
    table.reported(try id(), succeeded: false, at: at(31))
    table.reported(try id(), succeeded: false, at: at(32))
    #expect(try node(at: 32)?.isDown == false)
    table.reported(try id(), succeeded: false, at: at(33))
    #expect(try node(at: 33)?.isDown == true)
    // Its health page answers all the while: that is not what failed.
    check(true, at: 34)
    #expect(try node(at: 62)?.isDown == true)
    #expect(try node(at: 63)?.isDown == false)
  }

  @Test mutating func `who was gone for the checks too, and answers again, is used at once`() throws
  {
    table.read(try id(), try beat(1), absenceCounts: true, at: at(0))
    for _ in 0..<3 { table.reported(try id(), succeeded: false, at: at(1)) }
    for time in 2...4 { check(false, at: Double(time)) }
    // It was started again, of which Redis, that is away, can't tell.
    check(true, at: 11)
    #expect(try node(at: 11)?.isDown == false)
    // It fails again, though it answers.
    for _ in 0..<3 { table.reported(try id(), succeeded: false, at: at(12)) }
    check(true, at: 13)
    #expect(try node(at: 13)?.isDown == true)
  }

  @Test mutating func `one use that goes well forgives the failures`() throws {
    table.read(try id(), try beat(1), absenceCounts: true, at: at(0))
    for _ in 0..<2 { table.reported(try id(), succeeded: false, at: at(1)) }
    table.reported(try id(), succeeded: true, at: at(2))
    for _ in 0..<2 { table.reported(try id(), succeeded: false, at: at(3)) }
    #expect(try node(at: 3)?.isDown == false)
    table.reported(try id(), succeeded: false, at: at(3))
    #expect(try node(at: 3)?.isDown == true)
    table.reported(try id(), succeeded: true, at: at(4))
    #expect(try node(at: 4)?.isDown == false)
  }

  @Test mutating func `what a dead process did wrong is not its successor's`() throws {
    table.read(try id(), try beat(9), absenceCounts: true, at: at(0))
    for time in 0..<3 { check(false, at: Double(time)) }
    #expect(try node(at: 3)?.isDown == true)
    guard case .record(let old, _) = try beat(9) else { return }
    let next = NodeRecord(
      id: old.id, role: .origin, region: "here", addresses: old.addresses, version: "1",
      incarnation: "second")
    table.read(old.id, .record(next, age: .zero), absenceCounts: true, at: at(4))
    #expect(try node(at: 4)?.isDown == false)
    // A check of the old one that ends late says nothing about the new one.
    table.checked(old, passed: false, at: at(5))
    #expect(table.entries[old.id]?.health.failedChecks == 0)
  }

  @Test mutating func `clocks of nodes are never compared`() throws {
    for (index, clock) in [Int64.min, -5, 0, 5, 4_000_000_000, .max].enumerated() {
      table.read(
        try id("n\(index)"), try beat(1, of: "n\(index)") { $0.started = clock },
        absenceCounts: true,
        at: at(0))
    }
    let nodes = table.nodes(at: at(0)).values
    #expect(nodes.count == 6)
    // Written a second ago, when each had run for 100 s: that alone says when it began.
    #expect(nodes.allSatisfy { $0.began == at(-101) && $0.isUsable })
  }

  @Test mutating func `no more nodes are remembered than may be, and never ourselves`() throws {
    for number in 0..<400 {
      table.read(
        try id("n\(number)"), try beat(1, of: "n\(number)"), absenceCounts: true, at: at(0))
    }
    table.read(try id("own"), try beat(1, of: "own"), absenceCounts: true, at: at(0))
    #expect(table.entries.count == Self.limits.nodes)
    #expect(table.entries[try id("own")] == nil)
    // A record under another's key isn't anybody's.
    table.read(try id("x"), try beat(50, of: "n1"), absenceCounts: true, at: at(0))
    #expect(table.entries[try id("n1")]?.node.record.beat == 1)
  }

  @Test mutating func `no more checks are under way than may be`() throws {
    for number in 0..<5 {
      table.read(
        try id("n\(number)"), try beat(1, of: "n\(number)"), absenceCounts: true, at: at(0))
    }
    let first = table.takeDueChecks(atMost: 3, at: at(0))
    #expect(first.count == 3)
    #expect(table.takeDueChecks(atMost: 3, at: at(99)).isEmpty)
    table.checked(first[0], passed: true, at: at(99))
    #expect(table.takeDueChecks(atMost: 3, at: at(99)).count == 1)
  }
}
