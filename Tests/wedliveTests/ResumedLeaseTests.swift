import Cluster
import Media
import RTMP
import Testing

@testable import Relay
@testable import wedlive

@Suite("Resumed leases")
struct ResumedLeaseTests {
  private let turn = StreamGrant.Turn(run: "a", number: 3)

  /// What a relay asks whose stream `a` has had.
  private func question(
    epoch: Int64?, isEnding: Bool = false, mayHaveTaken: Set<String> = [],
    isTakenAway: Bool = false
  ) throws -> PlaceQuestion {
    PlaceQuestion(
      key: try #require(StreamKey(wedding: "w")), excluded: ["a"], progress: .nothing,
      isEnding: isEnding, had: ["a"],
      grant: epoch.map { StreamGrant(epoch: $0, turn: turn) }, mayHaveTaken: mayHaveTaken,
      isTakenAway: isTakenAway, date: StreamDate(time: 4, date: 5))
  }

  private func owner(
    _ name: String, _ epoch: Int64, isLive: Bool = true, hasEnded: Bool = false
  ) throws -> StreamOwner {
    StreamOwner(
      node: try #require(NodeID(name)), epoch: epoch, isLive: isLive, hasEnded: hasEnded)
  }

  @Test func `what its origin has said is resumed, whatever Redis knows of that`() throws {
    #expect(ResumedLease(try question(epoch: 7), nil) == .own(7))
    #expect(ResumedLease(try question(epoch: 7), try owner("a", 6)) == .own(7))
    #expect(ResumedLease(try question(epoch: 7), try owner("a", 7)) == .own(7))
    // It has heard the end, and was lost with it.
    let ended = try owner("a", 7, isLive: false, hasEnded: true)
    #expect(ResumedLease(try question(epoch: 7, isEnding: true), ended) == .own(7))
  }

  @Test(arguments: [false, true])
  func `what another publisher has by now is not resumed`(isEnding: Bool) throws {
    let question = try question(epoch: 7, isEnding: isEnding)
    #expect(ResumedLease(question, try owner("b", 8)) == .others)
    #expect(ResumedLease(question, try owner("a", 8)) == .others)
    #expect(ResumedLease(question, try owner("b", 8, isLive: false, hasEnded: true)) == .others)
  }

  @Test func `an origin that was asked and never answered may have it of this publisher`() throws {
    let question = try question(epoch: 7, mayHaveTaken: ["b"])
    #expect(ResumedLease(question, try owner("b", 8)) == .own(8))
    #expect(ResumedLease(question, try owner("c", 8)) == .others)
  }

  @Test func `one that its origin lost to another while it was on the air is taken back`() throws {
    let question = try question(epoch: 1, isTakenAway: true)
    #expect(ResumedLease(question, try owner("b", 2)) == .own(2))
    // The other primary may have given the same number.
    #expect(ResumedLease(question, try owner("b", 1)) == .own(1))
    // Who had it meanwhile has ended it.
    let ended = try owner("b", 2, isLive: false, hasEnded: true)
    #expect(ResumedLease(question, ended) == .others)
    // What has no publisher any more takes nothing from one.
    let ending = try self.question(epoch: 1, isEnding: true, isTakenAway: true)
    #expect(ResumedLease(ending, try owner("b", 2)) == .others)
  }

  @Test func `what is asked for under a number says which grant of it was this publisher's`() throws
  {
    let (own, old) = (try question(epoch: 7), StreamGrant(epoch: 7, turn: turn))
    #expect(ResumedLease.own(7).resumption(of: own)?.grant == old)
    // Under another number it was granted to nobody here.
    #expect(ResumedLease.own(8).resumption(of: own)?.grant == StreamGrant(epoch: 8))
    #expect(ResumedLease.own(nil).resumption(of: own) == nil)
    // What others have had since: it says who came first, and goes on from nothing.
    #expect(ResumedLease.others.resumption(of: own)?.grant == old)
    #expect(ResumedLease.others.resumption(of: own)?.progress == nil)
    // What is sent again was filmed when it was, whoever has had the stream since.
    for lease in [ResumedLease.own(7), .own(8), .others] {
      #expect(lease.resumption(of: own)?.date == own.date)
    }
  }

  @Test func `where no origin has said its number, who has the stream has it of this publisher`()
    throws
  {
    let ended = try owner("a", 7, isLive: false, hasEnded: true)
    #expect(ResumedLease(try question(epoch: nil), nil) == .own(nil))
    #expect(ResumedLease(try question(epoch: nil), try owner("b", 7)) == .own(7))
    #expect(ResumedLease(try question(epoch: nil), ended) == .own(nil))
    #expect(ResumedLease(try question(epoch: nil, isEnding: true), ended) == .own(7))
    #expect(ResumedLease(try question(epoch: nil, isEnding: true), try owner("b", 8)) == .others)
  }
}
