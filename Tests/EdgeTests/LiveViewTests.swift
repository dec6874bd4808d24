import EventLoop
import HLS
import Media
import Testing

@testable import Edge
@testable import Viewers

@Suite struct `What an edge believes of a stream` {
  private func feed(
    _ version: UInt64, next: Int, launch: String = "a", segments: [String] = []
  ) throws -> StreamFeed {
    let json = """
      {"wedding":"w","camera":"main","launch":"\(launch)","version":\(version),"isOver":false,
      "isProgram":true,"masters":[],"programMasters":[],"coming":[],"renditions":[{"name":"source",
      "viewers":4294967295,"nextSequence":\(next),"targetDuration":3,"playlist":"#EXTM3U",
      "segments":[\(segments.map { "\"\($0)\"" }.joined(separator: ","))]}]}
      """
    return try #require(StreamFeed(json: Array(json.utf8)))
  }

  private let grace = Duration.seconds(60)
  private let start = MonotonicTime.now

  private func view(_ first: StreamFeed) -> LiveView {
    var view = LiveView(interest: RenditionInterest())
    if let taken = view.take(first, grace: grace, now: start) {
      _ = view.snapshot(of: taken, version: 1)
    }
    return view
  }

  @Test func `a playlist never goes back, whoever tells it`() throws {
    var view = view(try feed(5, next: 10))
    let taken1 = view.take(try feed(5, next: 10), grace: grace, now: start)
    #expect(taken1 == nil)
    let taken2 = view.take(try feed(4, next: 11), grace: grace, now: start)
    #expect(taken2 == nil)
    let taken3 = view.take(try feed(1, next: 9, launch: "b"), grace: grace, now: start)
    #expect(taken3 == nil)
    let taken4 = view.take(try feed(1, next: 10, launch: "b"), grace: grace, now: start)
    #expect(taken4 != nil)
    let taken5 = view.take(try feed(6, next: 11), grace: grace, now: start)
    #expect(taken5 != nil)
  }

  @Test func `a rung that another node hasn't made yet stays, however often that node answers`()
    throws
  {
    let names = ["source", "720p"]
    func feed(_ version: UInt64, _ launch: String, _ renditions: [String]) throws -> StreamFeed {
      var feed = try self.feed(version, next: 10 + Int(version), launch: launch)
      let made = try #require(feed.renditions.first)
      feed.renditions = renditions.map {
        var rendition = made
        rendition.name = $0
        return rendition
      }
      return feed
    }
    var view = view(try feed(5, "a", names))
    for version in UInt64(6)...8 {
      let answer = try feed(version, "b", ["source"])
      let answered = view.take(answer, grace: grace, now: start)
      let taken = try #require(answered)
      #expect(taken.renditions.map(\.name) == names)
      _ = view.snapshot(of: taken, version: version)
    }
    // What its own node takes away goes, and what nobody has made for the grace.
    let late = view.take(try feed(9, "b", ["source"]), grace: grace, now: start + .seconds(61))
    #expect(late?.renditions.map(\.name) == ["source"])
  }

  @Test func `what no node has any more ends, and goes on with a node that has it`() throws {
    var view = view(try feed(5, next: 10))
    let ended = try #require(view.ended)
    #expect(ended.isOver)
    #expect(ended.renditions.map(\.playlist) == ["#EXTM3U#EXT-X-ENDLIST\n"])
    _ = view.snapshot(of: ended, version: 2)
    #expect(view.isOver)
    // Twice is no more.
    #expect(view.ended?.renditions == ended.renditions)
    let next = view.take(try feed(1, next: 11, launch: "b"), grace: grace, now: start)
    #expect(next?.isOver == false)
    #expect(LiveView(interest: RenditionInterest()).ended == nil)
  }

  /// A playlist of these numbers, and a discontinuity before any of them.
  private func listing(
    _ numbers: ClosedRange<Int>, version: UInt64, launch: String, breaks: Int = 0
  ) throws -> StreamFeed {
    var made = try feed(version, next: numbers.upperBound + 1, launch: launch)
    var lines = ["#EXTM3U", "#EXT-X-MEDIA-SEQUENCE:\(numbers.lowerBound)"]
    if breaks > 0 { lines.append("#EXT-X-DISCONTINUITY-SEQUENCE:\(breaks)") }
    for number in numbers { lines += ["#EXTINF:3.000,", "\(number)-\(launch).ts"] }
    made.renditions[0].playlist = lines.joined(separator: "\n") + "\n"
    made.renditions[0].segments = numbers.map { "\($0)-\(launch).ts" }
    return made
  }

  @Test func `numbers that have begun anew are believed after a while, and viewers' go on`() throws
  {
    var view = view(try listing(995...999, version: 5, launch: "a", breaks: 4))
    let anew = try listing(0...2, version: 1, launch: "b", breaks: 1)
    let taken6 = view.take(anew, grace: grace, now: start)
    #expect(taken6 == nil)
    let taken7 = view.take(anew, grace: grace, now: start + .seconds(59))
    #expect(taken7 == nil)
    let late = start + .seconds(61)
    let taken8 = view.take(anew, grace: grace, now: late) { _ in true }
    let first = try #require(taken8)
    #expect(first.renditions[0].nextSequence == 1_003)
    #expect(
      first.renditions[0].playlist.hasPrefix(
        """
        #EXTM3U
        #EXT-X-MEDIA-SEQUENCE:1000
        #EXT-X-DISCONTINUITY-SEQUENCE:5
        #EXTINF:3.000,
        0-b.ts

        """))
    #expect(first.renditions[0].segments == anew.renditions[0].segments)
    _ = view.snapshot(of: first, version: 2)
    // So does what comes next, also of another node that goes on with these.
    for (version, launch) in [(UInt64(2), "b"), (3, "c")] {
      let more = try listing(1...Int(version) + 1, version: version, launch: launch, breaks: 1)
      let taken = view.take(more, grace: grace, now: late) { _ in true }
      let next = try #require(taken)
      #expect(next.renditions[0].nextSequence == 1_002 + Int(version))
      #expect(next.renditions[0].playlist.contains("#EXT-X-MEDIA-SEQUENCE:1001\n"))
      _ = view.snapshot(of: next, version: version + 1)
    }
    // And what is told from its beginning, once it was thought to be over.
    view = view.anew
    let taken9 = view.take(try listing(4...9, version: 9, launch: "c"), grace: grace, now: late)
    #expect(taken9?.renditions[0].nextSequence == 1_010)
  }

  @Test func `numbers that no stream has do no harm`() throws {
    var view = view(try listing(0...0, version: 5, launch: "a"))
    var numbers = [1]
    let most = 1 << 53 - 1
    for (first, next) in [(Int.min, 1), (Int.max, 1), (-1, most), (most, most)] {
      var odd = try feed(1, next: next, launch: "b")
      odd.renditions[0].playlist = """
        #EXTM3U
        #EXT-X-MEDIA-SEQUENCE:\(first)
        #EXT-X-DISCONTINUITY-SEQUENCE:\(first)
        #EXTINF:3.000,
        \(first)-b.ts

        """
      for second in [0, 61, 200, 400] {
        if let taken = view.take(odd, grace: grace, now: start + .seconds(second)) {
          numbers.append(taken.renditions[0].nextSequence)
          _ = view.snapshot(of: taken, version: 2)
        }
      }
    }
    #expect(numbers == numbers.sorted())
  }

  @Test func `segments of what is watched are fetched once`() throws {
    let names = ["7-a.ts", "8-b.ts", "9-c.ts", "10-d.ts"]
    var view = view(try feed(5, next: 11, segments: names))
    let first = try feed(6, next: 11, segments: names)
    let none = view.fresh(first, now: 100)
    #expect(none.isEmpty)
    view.snapshot?.renditions.first?.interest?.note(now: 100)
    let some = view.fresh(first, now: 100)
    #expect(some.map(\.segment) == ["8-b.ts", "9-c.ts", "10-d.ts"])
    let again = view.fresh(
      try feed(7, next: 12, segments: names + ["11-e.ts"]), now: 101)
    #expect(again.map(\.segment) == ["11-e.ts"])
    let unwatched = view.fresh(
      try feed(8, next: 13, segments: names + ["11-e.ts", "12-f.ts"]), now: 200)
    #expect(unwatched.isEmpty)
  }

  @Test func `the first segment of what is waited for is fetched before anybody is told of it`()
    throws
  {
    let coming = ComingInterest()
    var view = LiveView(interest: RenditionInterest(), coming: coming)
    let before = try feed(5, next: 1, segments: ["0-a.ts"])
    coming.note(Array("other".utf8), now: 100)
    let unasked = view.fresh(before, now: 100)
    #expect(unasked.isEmpty)
    coming.note(Array("source".utf8), now: 100)
    let first = view.fresh(before, now: 110)
    #expect(first.map(\.segment) == ["0-a.ts"])
    // Who has waited watches on.
    _ = view.snapshot(of: before, version: 1)
    let next = view.fresh(try feed(6, next: 2, segments: ["0-a.ts", "1-b.ts"]), now: 111)
    #expect(next.map(\.segment) == ["1-b.ts"])
    // Names come from addresses: no more are kept than a stream can have.
    for index in 0..<1_000 { coming.note(Array("\(index)".utf8), now: UInt64(200 + index)) }
    #expect(coming.fresh(within: 2_000, now: 1_200).count == 64)
  }

  @Test func `the question says what is known and wanted`() throws {
    var view = LiveView(interest: RenditionInterest())
    let key = try #require(StreamKey(wedding: "w"))
    #expect(view.question(key, now: 1) == "/cluster/live/w/main")
    let first = view.take(try feed(5, next: 10), grace: grace, now: start)
    let taken = try #require(first)
    _ = view.snapshot(of: taken, version: 1)
    #expect(view.question(key, now: 1) == "/cluster/live/w/main?after=5&launch=a")
    view.snapshot?.renditions.first?.interest?.note(now: 1)
    #expect(view.question(key, now: 1) == "/cluster/live/w/main?after=5&launch=a&want=source")
  }

  @Test func `what a node has yet to make stays what viewers have`() throws {
    var view = view(try feed(5, next: 10, segments: ["8-a.ts", "9-b.ts"]))
    var empty = try feed(1, next: 10, launch: "b")
    empty.renditions = []
    let taken = view.take(empty, grace: grace, now: start)
    #expect(taken == nil)
    let late = view.take(empty, grace: grace, now: start + .seconds(61))
    #expect(late?.renditions.isEmpty == true)
  }

  @Test func `a node that ends what it has made nothing of ends what viewers have`() throws {
    var view = view(try listing(4...9, version: 5, launch: "a"))
    var empty = try feed(1, next: 10, launch: "b")
    empty.renditions = []
    _ = view.take(empty, grace: grace, now: start)
    (empty.version, empty.isOver) = (2, true)
    let taken = view.take(empty, grace: grace, now: start)
    let ended = try #require(taken)
    #expect(ended.isOver)
    #expect(ended.renditions.first?.playlist.hasSuffix("9-a.ts\n#EXT-X-ENDLIST\n") == true)
    _ = view.snapshot(of: ended, version: 2)
    #expect(view.question(try #require(view.key), now: 0).contains("?after=2&launch=b"))
    let again = view.take(empty, grace: grace, now: start)
    #expect(again == nil)
    // Its publisher may come back all the same.
    let next = view.take(
      try listing(10...10, version: 3, launch: "b"), grace: grace, now: start
    ) { _ in true }
    #expect(next?.isOver == false)
    #expect(
      next?.renditions.first?.playlist.contains("9-a.ts\n#EXTINF:3.000,\n10-b.ts\n") == true)
  }

  @Test(arguments: ["a", "b"])
  func `what viewers had stays listed where its node begins anew`(launch: String) throws {
    var before = try listing(4...9, version: 5, launch: "a")
    before.epoch = 1
    var view = view(before)
    // Where it has lost the stream and got it back, it has nothing of it at first.
    var none = try feed(6, next: 0, launch: launch)
    (none.epoch, none.renditions) = (3, [])
    let nothing = view.take(none, grace: grace, now: start) { _ in true }
    #expect(nothing == nil)
    let first = view.take(
      try listing(10...10, version: 7, launch: launch), grace: grace, now: start
    ) { _ in true }
    let taken = try #require(first)
    #expect(taken.renditions[0].playlist.contains("#EXT-X-MEDIA-SEQUENCE:5\n"))
    #expect(taken.renditions[0].playlist.contains("9-a.ts\n#EXTINF:3.000,\n10-\(launch).ts\n"))
    _ = view.snapshot(of: taken, version: 2)
    // They leave as they would have anyway.
    let next = try #require(
      view.take(
        try listing(10...14, version: 8, launch: launch), grace: grace, now: start
      ) { _ in true })
    #expect(next.renditions[0].playlist.contains("#EXT-X-MEDIA-SEQUENCE:9\n"))
    _ = view.snapshot(of: next, version: 3)
    // Those that are listed no more can be had for a while.
    let own = (10...14).map { "\($0)-\(launch).ts" }
    #expect(next.renditions[0].segments == (4...9).map { "\($0)-a.ts" } + own)
    let last = view.take(
      try listing(12...17, version: 9, launch: launch), grace: grace, now: start
    ) { _ in true }
    #expect(last?.renditions[0].playlist.contains("#EXT-X-MEDIA-SEQUENCE:12\n") == true)
    #expect(last?.renditions[0].segments.first == "5-a.ts")
  }

  @Test func `what says nothing new is not made anew`() throws {
    var view = view(try feed(5, next: 10))
    let first = try #require(view.snapshot)
    var answer = try feed(6, next: 10)
    answer.renditions.append(answer.renditions[0])
    answer.renditions[1].name = "720p"
    let next = view.take(answer, grace: grace, now: start)
    _ = view.snapshot(of: try #require(next), version: 2)
    let second = try #require(view.snapshot)
    #expect(second.renditions.count == 2)
    // The very bytes that were compressed for the first.
    let before = first.renditions[0].playlist.text.gzipped ?? []
    let after = second.renditions[0].playlist.text.gzipped ?? []
    let isSame = unsafe before.withUnsafeBufferPointer { first in
      unsafe after.withUnsafeBufferPointer { unsafe $0.baseAddress == first.baseAddress }
    }
    #expect(!before.isEmpty && isSame)
  }

  @Test func `a program that becomes a stream of its own goes on, never back`() throws {
    func program(_ version: UInt64, next: Int, launch: String = "a") throws -> StreamFeed {
      var feed = try feed(version, next: next, launch: launch)
      (feed.camera, feed.isProgram, feed.epoch) = ("program", false, 1)
      return feed
    }
    var camera = try feed(5, next: 10)
    camera.epoch = 3
    var view = view(camera)
    // Its first state is as old as the last one of its camera, or older; versions are of all
    // streams.
    let first = view.take(try program(4, next: 9), grace: grace, now: start)
    let taken = try #require(first)
    #expect(taken.camera == "program")
    #expect(taken.renditions.map(\.nextSequence) == [10])
    _ = view.snapshot(of: taken, version: 2)
    #expect(view.key == taken.key)
    let next = view.take(try program(6, next: 11), grace: grace, now: start)
    #expect(next?.renditions.map(\.nextSequence) == [11])
    // Another node's numbers are its own affair.
    var other = self.view(try feed(5, next: 10))
    let anew = other.take(try program(1, next: 3, launch: "b"), grace: grace, now: start)
    #expect(anew?.renditions.map(\.nextSequence) == [3])
  }

  @Test func `who goes on from another's view asks for all of it, and takes nothing back`() throws {
    let key = try #require(StreamKey(wedding: "w", camera: "main"))
    let second: UInt64 = 1_000
    let before = view(try feed(5, next: 10, segments: ["9-a.ts"]))
    before.snapshot?.renditions[0].interest?.note(now: second)
    let interest = RenditionInterest()
    var view = LiveView(after: before, interest: interest, now: second)
    #expect(view.question(key, now: second) == "/cluster/live/w/main")
    // Nothing is known to be over, before anybody has said anything.
    #expect(view.ended == nil)
    let older = view.take(try feed(1, next: 9, launch: "b"), grace: grace, now: start)
    #expect(older == nil)
    // What has not changed since is an answer, too.
    let same = view.take(try feed(5, next: 10, segments: ["9-a.ts"]), grace: grace, now: start)
    let snapshot = view.snapshot(of: try #require(same), version: 2)
    #expect(snapshot?.interest === interest)
    #expect(view.question(key, now: second) == "/cluster/live/w/main?after=5&launch=a&want=source")
    // From here on it is watched by its own viewers alone.
    before.snapshot?.renditions[0].interest?.note(now: second + 31)
    #expect(view.question(key, now: second + 31) == "/cluster/live/w/main?after=5&launch=a")
  }
}
