import Cluster
import HLS
import Media
import Origin
import RTMP
import Testing
import Viewers

@testable import wedlive

@Suite("Resumption")
struct ResumptionTests {
  private let pass = PeerPass(secret: Array("the cluster's".utf8))

  private func key(_ wedding: String = "w") throws -> StreamKey {
    try #require(StreamKey(wedding: wedding))
  }

  /// What an origin is asked by whoever shows these query items.
  private func wish(_ query: String, for wedding: String = "w") throws -> StreamLeasing.Wish {
    let name = StreamName("w?" + query)
    return StreamLeasing.Wish(
      key: try key(wedding), priority: 0, resumes: name["resume"] ?? "",
      after: name["after"] ?? "", proof: name["proof"] ?? "", grant: name["grant"] ?? "",
      date: name["date"] ?? "", program: name["program"] ?? "")
  }

  @Test func `what an edge says is what an origin reads`() throws {
    let progress = RelayProgress(sequence: 812, discontinuity: 3, end: 90)
    let said = Resumption(key: try key(), grant: StreamGrant(epoch: 7), progress: progress).query(
      pass)
    let read = try #require(Resumption(try wish(said), pass))
    #expect(read.grant == StreamGrant(epoch: 7))
    #expect(read.progress == RelayProgress(sequence: 812, discontinuity: 3, end: nil))
    let plain = Resumption(key: try key(), grant: StreamGrant(epoch: 7), progress: nil).query(pass)
    #expect(try Resumption(wish(plain), pass)?.progress == nil)
    #expect(try Resumption(wish(plain), pass)?.grant == StreamGrant(epoch: 7))
    let grant = StreamGrant(epoch: 7, turn: StreamGrant.Turn(run: "k3x9", number: 12))
    let precise = Resumption(key: try key(), grant: grant, progress: progress).query(pass)
    #expect(try Resumption(wish(precise), pass)?.grant == grant)
    // An origin that knows nothing of grants reads the rest.
    #expect(precise.hasPrefix(said + "&grant="))
  }

  @Test func `a stream goes on where the edge has what follows, whatever Redis has heard`() throws {
    let progress = RelayProgress(sequence: 812, discontinuity: 3, end: nil)
    let resumption = Resumption(key: try key(), grant: StreamGrant(epoch: 7), progress: progress)
    let end = MediaTime(milliseconds: 90_000)
    /// What Redis has of it.
    func left(_ next: Int) -> StreamLeasing.Progress? {
      let state = WindowState(
        nextSequence: next, discontinuitySequence: 4, endDate: 1_795_939_000_000)
      return resumption.left(
        besides: StreamLeasing.Progress(
          state: state, publisherEnd: end, names: ["a"],
          broadcast: Broadcast(began: 1_795_930_000_000, last: state.endDate)))
    }
    let own = WindowState(nextSequence: 813, discontinuitySequence: 3)
    #expect(resumption.left(besides: nil)?.state == own)
    for next in [700, 813, 814, 815] {
      let left = try #require(left(next))
      #expect(left.state.nextSequence == 813)
      #expect(left.broadcast?.began == 1_795_930_000_000)
      // Whoever has the former segments has counted their discontinuities.
      #expect(left.state.discontinuitySequence == (next > 812 ? 4 : 3))
      // What Redis knows of dates counts, too; what is made once more has an earlier one.
      #expect(left.state.endDate == (next > 813 ? 0 : 1_795_939_000_000))
      #expect(left.publisherEnd == (next == 813 ? end : nil))
      // What was announced last is cut where it was.
      #expect(left.nextEnd == (next == 814 ? end : nil))
    }
    let silent = Resumption(key: try key(), grant: StreamGrant(epoch: 7), progress: nil)
    #expect(silent.left(besides: nil) == nil)
  }

  @Test func `dates are those that the edge says, and Redis' where it says none`() throws {
    let progress = RelayProgress(sequence: 812, discontinuity: 3, end: nil)
    let grant = StreamGrant(epoch: 7)
    let date = StreamDate(time: .max, date: 1_795_939_000_000)
    let said = Resumption(key: try key(), grant: grant, progress: progress, date: date)
    let silent = Resumption(key: try key(), grant: grant, progress: progress)
    let end = MediaTime(milliseconds: 90_000)
    let recorded = StreamLeasing.Progress(
      state: WindowState(nextSequence: 814, endDate: 1_795_938_000_000), publisherEnd: end)
    let own = PublisherDate(time: MediaTime(milliseconds: 4_294_967_295), date: 1_795_939_000_000)
    #expect(said.publisherDate(besides: recorded) == own)
    #expect(said.publisherDate(besides: nil) == own)
    #expect(
      silent.publisherDate(besides: recorded) == PublisherDate(time: end, date: 1_795_938_000_000))
    #expect(silent.publisherDate(besides: nil) == nil)
    // What is made once more has an earlier date than what Redis has heard of.
    #expect(said.left(besides: recorded)?.state.endDate == 0)
    let query = said.query(pass)
    #expect(query == silent.query(pass) + "&date=4294967295.1795939000000")
    for ahead in [-600_000, 0, 86_400_000] as [Int64] {
      let read = try Resumption(wish(query), pass, now: 1_795_939_000_000 + ahead)
      #expect(read?.date == date)
    }
    // A date that no clock has said is left out; the stream goes on all the same.
    for ahead in [-600_001, 86_400_001] as [Int64] {
      let read = try #require(
        try Resumption(wish(query), pass, now: 1_795_939_000_000 + ahead))
      #expect(read.date == nil)
      #expect(read.progress == progress)
    }
    // Who can't prove the rest says nothing.
    #expect(try Resumption(wish("date=1.1795939000000"), pass) == nil)
  }

  @Test func `how far the program was is told along, and left out where that can't be`() throws {
    let now: Int64 = 1_795_939_000_000
    func said(_ place: ProgramPlace?) throws -> String {
      Resumption(
        key: try key(), grant: StreamGrant(epoch: 7),
        progress: RelayProgress(sequence: 812, discontinuity: 3, end: nil, program: place)
      ).query(pass)
    }
    func place(
      _ number: Int64, discontinuity: Int64 = 0, ago: Int64 = 0, camera: String = "al.tar",
      epoch: Int64 = 2
    ) -> ProgramPlace {
      ProgramPlace(
        number: number, discontinuity: discontinuity, date: now - ago, camera: camera, sequence: 9,
        epoch: epoch)
    }
    let plain = try said(nil)
    let beyond = now / 1_000 + 86_400
    for good in [
      place(0), place(1_700, discontinuity: 4), place(beyond), place(1, ago: 120_000),
      place(1, ago: -600_000),
    ] {
      let query = try said(good)
      // An origin that knows nothing of it reads the rest.
      #expect(query == plain + "&program=\(good.text)")
      let read = try #require(try Resumption(wish(query), pass, now: now))
      #expect(read.progress?.program == good)
      #expect(read.left(besides: nil)?.program == good)
    }
    for bad in [
      place(beyond + 1), place(3, discontinuity: beyond + 1), place(1, ago: 120_001),
      place(1, ago: -600_001), place(1, camera: "program"), place(1, epoch: beyond + 1),
    ] {
      let read = try #require(try Resumption(wish(said(bad)), pass, now: now))
      #expect(read.progress == RelayProgress(sequence: 812, discontinuity: 3, end: nil))
    }
    // Who can't prove the rest says nothing.
    #expect(try Resumption(wish("program=\(place(1).text)"), pass, now: now) == nil)
  }

  @Test func `a stream's very first segment is made once more, where it was cut`() throws {
    let said = Resumption(key: try key(), grant: StreamGrant(epoch: 7), progress: .nothing).query(
      pass)
    let read = try #require(Resumption(try wish(said), pass))
    #expect(read.progress == .nothing)
    #expect(read.left(besides: nil)?.state == WindowState(nextSequence: 0))
    let end = MediaTime(milliseconds: 2_000)
    let recorded = StreamLeasing.Progress(
      state: WindowState(nextSequence: 1, discontinuitySequence: 0), publisherEnd: end)
    let left = try #require(read.left(besides: recorded))
    #expect(left.state.nextSequence == 0)
    #expect(left.publisherEnd == nil)
    #expect(left.nextEnd == end)
  }

  @Test func `what an edge had before others had the stream says nothing of where it goes on`()
    throws
  {
    let resumption = Resumption(key: try key(), grant: StreamGrant(epoch: 7), progress: nil)
    // Its own node's, the next one; one after another's; Redis has lost all of it.
    #expect([7, 8, 9, 1].map { resumption.isFollowed(by: $0) } == [true, true, false, true])
  }

  @Test func `a date that no clock has said is not believed`() {
    let now: Int64 = 1_795_939_000_000
    for date in [0, now - 9_000_000, now + 117_000] {
      #expect(StreamHead.believable(date, now: now) == date)
    }
    for date in [now + 600_001, .max] { #expect(StreamHead.believable(date, now: now) == 0) }
  }

  @Test func `nobody else can say it, nor change what was said`() throws {
    let progress = RelayProgress(sequence: 812, discontinuity: 3, end: nil)
    let said = Resumption(key: try key(), grant: StreamGrant(epoch: 7), progress: progress).query(
      pass)
    let other = PeerPass(secret: Array("another's".utf8))
    #expect(try Resumption(wish(said), other) == nil)
    #expect(try Resumption(wish(said, for: "v"), pass) == nil)
    for forged in [
      said.replacing("resume=7", with: "resume=8"),
      said.replacing("after=812.3", with: "after=1.3"),
      said.replacing("&after=812.3", with: ""), said.replacing("812.3", with: "812"),
      said.replacing("812.3", with: "-1.3"), said.replacing("812.3", with: "9223372036854775807.3"),
      "resume=7", "resume=x&proof=", "",
    ] {
      #expect(try Resumption(wish(forged), pass) == nil, "\(forged)")
    }
  }
}
