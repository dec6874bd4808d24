import TestSupport
@testable import Viewers
import Access
import HLS
import Ingest
import Media
import RTMP
import Testing
import Transcode

@testable import HTTPServer
@testable import Origin

@Suite struct `Live stream` {
  @Test func `what an encoder sends becomes a playlist and its segments`() throws {
    let test = try TestStream()
    test.begin()
    #expect(test.board[.named("w")]?.state == .live)
    test.feed(Encoder().headers + Encoder().messages(seconds: 13))
    let playlist = try #require(test.playlist)
    #expect(test.problems.isEmpty)
    #expect(playlist.mediaSequence == 0)
    #expect(playlist.entries.map(\.duration) == [3, 3, 3, 3])
    #expect(!playlist.entries.contains { $0.isDiscontinuity })
    for name in playlist.names { #expect(test.has(name)) }
    let master = test.text(try #require(test.snapshot?.master(of: 0)?.playlist))
    #expect(master.contains("CODECS=\"avc1.42C00D,mp4a.40.2\""))
    #expect(master.contains("\n/hls/w/main/source/index.m3u8\n"))
    let status = try #require(test.board[.named("w")])
    #expect(status.video?.width == 320)
    #expect(status.video?.profile == "Baseline")
    #expect(status.video?.level == 1.3)
    #expect(status.video?.compatibility == 0xC0)
    #expect(status.audio?.profile == "LC")
    #expect(status.audio?.sampleRate == 48_000)
    #expect(status.playlist?.segments == 4)
  }

  @Test func `viewers are told of rungs that are coming, and why others never will`() throws {
    var configuration = StreamConfiguration()
    var job = LadderJob()
    job.rungs = [
      LadderRung(
        name: "4k", width: 3_840, height: 2_160, videoBitrate: 12_000_000, audioBitrate: 192_000),
      LadderRung(
        name: "72p", width: 128, height: 72, videoBitrate: 100_000, audioBitrate: 64_000),
    ]
    configuration.ladder = LadderConfiguration()
    configuration.ladder?.job = job
    configuration.plans = Plans([Plans.Plan(name: "free", renditions: ["72p"])])
    let viewed = try TestStream(configuration: configuration)
    viewed.begin()
    viewed.stream.renditions.add(rung: 1, name: "72p", interest: nil)
    viewed.feed(Encoder().headers + Encoder().messages(seconds: 7))
    let snapshot = try #require(viewed.snapshot)
    #expect(snapshot.master(of: 0) != nil)
    #expect(snapshot.master(of: 1) == nil)
    #expect(snapshot.isComing(to: 1))
    #expect(snapshot.coming.map(\.name) == [Array("72p".utf8)])
    #expect(snapshot.lacking.map(\.name) == [Array("4k".utf8)])
    let words = String(
      decoding: try #require(snapshot.lacking.first).response.identity.body, as: UTF8.self)
    #expect(words.contains("above_source"))
    #expect(words.contains("It has source"), "\(words)")
    #expect(words.contains("320x180"))
  }

  @Test func `a publisher that returns goes on in the same playlist after one discontinuity`()
    throws
  {
    let earliest = StreamOutlet.wallClockMilliseconds
    let test = try TestStream()
    test.begin()
    let start = try #require(test.board[.named("w")]?.startedAtMilliseconds)
    #expect((earliest...StreamOutlet.wallClockMilliseconds).contains(start))
    test.feed(Encoder().headers + Encoder().messages(seconds: 8))
    test.stream.interrupt()
    test.look()
    #expect(test.board[.named("w")]?.state == .waiting)
    #expect(test.board[.named("w")]?.startedAtMilliseconds == start)
    let before = try #require(test.playlist)
    #expect(before.entries.map(\.duration.rounded) == [3, 3, 2])
    #expect(!before.isEnded)
    test.begin()
    let second = Encoder(base: 3_000_000)
    test.feed(second.headers + second.messages(seconds: 7))
    #expect(test.board[.named("w")]?.startedAtMilliseconds == start)
    let after = try #require(test.playlist)
    #expect(after.names.prefix(3) == before.names[...])
    #expect(after.nextSequence == 5)
    #expect(after.entries.map(\.isDiscontinuity) == [false, false, false, true, false])
    #expect(test.problems.isEmpty)
  }

  @Test func `a broadcast goes on elsewhere within its window, and what comes later is another`()
    throws
  {
    let now = StreamOutlet.wallClockMilliseconds
    let began = now - 3_600_000
    for (away, goesOn) in [(20_000, true), (90_000, false)] as [(Int64, Bool)] {
      let test = try TestStream(state: WindowState(nextSequence: 9))
      test.begin(
        after: StreamLeasing.Progress(
          state: WindowState(nextSequence: 9), publisherEnd: nil,
          broadcast: Broadcast(began: began, last: now - away)))
      let start = try #require(test.board[.named("w")]?.startedAtMilliseconds)
      #expect(goesOn ? start == began : start >= now)
      #expect(test.stream.broadcast.began == start)
      // One that has ended begins anew, also where it is still there.
      test.stream.interrupt()
      test.stream.end()
      test.begin(
        after: StreamLeasing.Progress(
          state: WindowState(nextSequence: 9), publisherEnd: nil,
          broadcast: Broadcast(began: began, last: now)))
      #expect(try #require(test.board[.named("w")]?.startedAtMilliseconds) >= now)
    }
  }

  @Test func `half a segment is not announced where another server makes all of it`() throws {
    let test = try TestStream()
    test.begin()
    test.feed(Encoder().headers + Encoder().messages(seconds: 8))
    test.stream.interrupt(.elsewhere)
    test.look()
    let after = try #require(test.playlist)
    #expect(after.entries.map(\.duration.rounded) == [3, 3])
    #expect(test.problems.isEmpty)
  }

  @Test func `the end is in the playlist, and the stream can go on after it`() throws {
    let test = try TestStream()
    test.begin()
    test.feed(Encoder().headers + Encoder().messages(seconds: 7))
    test.stream.interrupt()
    test.stream.end()
    test.look()
    let ended = try #require(test.playlist)
    #expect(ended.isEnded)
    #expect(test.snapshot?.isOver == true)
    #expect(test.board[.named("w")]?.state == .ended)
    test.begin()
    test.feed(Encoder().headers + Encoder().messages(seconds: 4))
    let after = try #require(test.playlist)
    #expect(!after.isEnded)
    #expect(after.nextSequence == ended.nextSequence + 1)
    #expect(after.entries.last?.isDiscontinuity == true)
    for name in ended.names { #expect(test.has(name)) }
    test.stream.interrupt()
    test.stream.end()
    test.stream.forget()
    test.look()
    #expect(test.snapshot == nil)
    #expect(test.board[.named("w")] == nil)
    #expect(test.problems.isEmpty)
  }

  @Test func `a stream that never had a segment ends without a trace`() throws {
    let test = try TestStream()
    test.begin()
    test.feed(Encoder().headers)
    #expect(test.snapshot?.coming.isEmpty == false)
    test.stream.interrupt()
    test.stream.end()
    test.look()
    // Nobody waits for it, and those who have listed some of it hear of its end.
    #expect(test.snapshot?.isOver == true)
    #expect(test.snapshot?.coming.isEmpty == true)
    test.stream.forget()
    test.look()
    #expect(test.snapshot == nil)
    #expect(test.board.all.isEmpty)
  }

  @Test func `a stream goes on from its numbers, and says so`() throws {
    let state = WindowState(
      nextSequence: 42, discontinuitySequence: 3, endTime: MediaTime(milliseconds: 9_000))
    let test = try TestStream(state: state)
    test.begin()
    test.feed(Encoder().headers + Encoder().messages(seconds: 4))
    let playlist = try #require(test.playlist)
    #expect(playlist.mediaSequence == 42)
    #expect(playlist.discontinuitySequence == 3)
    #expect(playlist.entries.first?.isDiscontinuity == true)
  }

  @Test func `old segments can be fetched for a while, then go, also while nobody publishes`()
    throws
  {
    var configuration = StreamConfiguration()
    configuration.window = .seconds(18)
    let test = try TestStream(configuration: configuration)
    test.begin()
    test.feed(Encoder().headers + Encoder().messages(seconds: 40))
    test.stream.interrupt()
    test.look()
    let playlist = try #require(test.playlist)
    let all = try #require(test.snapshot).renditions[0].segments.map {
      String(decoding: $0.name, as: UTF8.self)
    }
    #expect(playlist.mediaSequence > 0)
    #expect(all.count == playlist.nextSequence)
    test.pass(.seconds(10))
    test.stream.expire()
    test.look()
    for name in all { #expect(test.has(name)) }
    test.pass(.seconds(30))
    test.stream.expire()
    test.look()
    #expect(test.playlist == playlist)
    for name in all { #expect(test.has(name) == playlist.names.contains(name)) }
    #expect(test.problems.isEmpty)
  }

  @Test(arguments: [false, true])
  func `sound alone and pictures alone are streams as well`(hasVideo: Bool) throws {
    let test = try TestStream()
    test.begin()
    let encoder = Encoder(hasVideo: hasVideo, hasAudio: !hasVideo)
    test.feed(encoder.headers + encoder.messages(seconds: 10))
    let playlist = try #require(test.playlist)
    #expect(playlist.entries.count >= 2)
    let master = test.text(try #require(test.snapshot?.master(of: 0)?.playlist))
    #expect(master.contains(hasVideo ? "CODECS=\"avc1.42C00D\"" : "CODECS=\"mp4a.40.2\""))
    #expect(test.problems.isEmpty)
    #expect(test.refusals.isEmpty)
  }

  // MARK: Time

  @Test(arguments: [UInt32.max - 4_000, 0xFF_F000, 0x7FFF_F000])
  func `a clock that wraps is not seen in the playlist`(base: UInt32) throws {
    let test = try TestStream()
    test.begin()
    let encoder = Encoder(base: base)
    test.feed(encoder.headers + encoder.messages(seconds: 13))
    let playlist = try #require(test.playlist)
    #expect(playlist.entries.map(\.duration) == [3, 3, 3, 3])
    #expect(!playlist.entries.contains { $0.isDiscontinuity })
    #expect(test.problems.isEmpty)
  }

  @Test(arguments: [UInt32(500_000), 7_200_000, 100])
  func `a clock that jumps or goes back is a discontinuity, and the playlist stays valid`(
    later: UInt32
  ) throws {
    let test = try TestStream()
    test.begin()
    let first = Encoder(base: 400_000)
    let second = Encoder(base: later)
    test.feed(first.headers + first.messages(seconds: 10) + second.messages(seconds: 10))
    let playlist = try #require(test.playlist)
    #expect(playlist.entries.count { $0.isDiscontinuity } == 1)
    #expect(playlist.duration > 16 && playlist.duration < 20)
    #expect(test.problems.isEmpty)
    #expect(test.refusals.isEmpty)
  }
}

extension Double {
  fileprivate var rounded: Double { self.rounded(.toNearestOrAwayFromZero) }
}
