import Media
import Testing

@testable import HLS

@Suite struct `Live window` {
  private func segment(
    _ sequence: Int, seconds: Double = 4, discontinuities: Int = 0, isDiscontinuity: Bool = false,
    isIndependent: Bool = true
  ) -> Segment {
    Segment(
      name: Segment.name(sequence: sequence), sequence: sequence,
      discontinuitySequence: discontinuities, bytes: [0x47], duration: MediaTime(seconds: seconds),
      startTime: MediaTime(seconds: Double(sequence) * 4),
      programDate: 1_764_283_379_123 + Int64(sequence) * 4_000, isDiscontinuity: isDiscontinuity,
      isIndependent: isIndependent, targetDuration: 4)
  }

  @Test func `the playlist's text is as it should be`() throws {
    var window = LiveWindow()
    let first = segment(0)
    let second = segment(1, seconds: 3.003, discontinuities: 1, isDiscontinuity: true)
    _ = window.append(first, now: .zero)
    let playlist = try #require(window.append(second, now: .zero).playlist)
    #expect(
      String(decoding: playlist.text.plain, as: UTF8.self) == """
        #EXTM3U
        #EXT-X-VERSION:6
        #EXT-X-TARGETDURATION:4
        #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES
        #EXT-X-MEDIA-SEQUENCE:0
        #EXT-X-DISCONTINUITY-SEQUENCE:0
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-PROGRAM-DATE-TIME:2025-11-27T22:42:59.123Z
        #EXTINF:4.000,
        \(first.name)
        #EXT-X-DISCONTINUITY
        #EXT-X-PROGRAM-DATE-TIME:2025-11-27T22:43:03.123Z
        #EXTINF:3.003,
        \(second.name)

        """)
    let ended = try #require(window.end(now: .zero).playlist)
    #expect(String(decoding: ended.text.plain, as: UTF8.self).hasSuffix("#EXT-X-ENDLIST\n"))
    #expect(ended.isEnded)
  }

  @Test func `a playlist lists a minute, and a removed segment stays as long as it must`() {
    var window = LiveWindow()
    var listed: [Int: MediaTime] = [:]
    var fetchable = Set<Int>()
    for number in 0..<100 {
      let now = MediaTime(milliseconds: Int64(number) * 4_000)
      let update = window.append(segment(number), now: now)
      fetchable.insert(number)
      for old in update.expired {
        fetchable.remove(old.sequence)
        // 4 s of its own and 60 s of the playlist after it was listed last.
        let away = now - (listed[old.sequence] ?? .zero)
        #expect(away >= MediaTime(milliseconds: 64_000))
        #expect(away <= MediaTime(milliseconds: 72_000))
      }
      for segment in window.segments { listed[segment.sequence] = now }
      #expect(window.segments.allSatisfy { fetchable.contains($0.sequence) })
      #expect(window.segments.count <= 15)
      #expect(Set(window.retiredSegments.map(\.sequence)).isSubset(of: fetchable))
    }
    #expect(window.segments.count == 15)
    #expect(window.playlist?.mediaSequence == 85)
    #expect(window.playlist?.nextSequence == 100)
    #expect(fetchable.count == 15 + 16)
    // Nothing new comes: the old ones go all the same.
    #expect(window.expire(now: MediaTime(milliseconds: 1_000_000)).count == 16)
    #expect(window.segments.count == 15)
  }

  @Test func `long segments leave six in the playlist`() {
    var window = LiveWindow()
    for number in 0..<20 { _ = window.append(segment(number, seconds: 20), now: .zero) }
    #expect(window.segments.count == 6)
  }

  /// A window as it is after many segments of a byte each.
  private func full() -> (LiveWindow, now: MediaTime) {
    var window = LiveWindow()
    var now = MediaTime.zero
    for number in 0..<60 {
      now = MediaTime(milliseconds: Int64(number) * 4_000)
      _ = window.append(segment(number), now: now)
    }
    return (window, now)
  }

  @Test(arguments: [1, 3, 10, 17, 18, 19, 1_000])
  func `a window gets shorter from its oldest end, and lists less than half`(bytes: Int) throws {
    var (window, now) = full()
    let before = window.retiredSegments + window.segments
    let update = window.shorten(by: bytes, now: now)
    let after = window.retiredSegments + window.segments
    #expect(update.expired.map(\.sequence) == before.prefix(update.expired.count).map(\.sequence))
    #expect(after.map(\.sequence) == before.dropFirst(update.expired.count).map(\.sequence))
    #expect(update.expired.count == min(bytes, before.count - 13))
    #expect(window.segments.count >= 6)
    // A segment that is no longer listed stays for its own duration and that of the playlist.
    #expect(window.retiredSegments.count > window.segments.count)
    #expect(try #require(update.playlist).mediaSequence == window.segments.first?.sequence)
    let next = window.append(segment(60), now: now)
    #expect(next.playlist?.nextSequence == 61)
  }

  @Test func `a window without a publisher keeps what it must list, and no window less`() {
    var (window, now) = full()
    _ = window.shorten(by: .max, keeping: .over, now: now)
    #expect(window.segments.count == 6)
    #expect(window.retiredSegments.isEmpty)
    let none = window.shorten(by: .max, keeping: .over, now: now)
    #expect(none.expired.isEmpty)
    #expect(none.playlist == nil)
  }

  @Test func `discontinuities are counted when they leave`() {
    var window = LiveWindow()
    var checker = PlaylistChecker()
    var count = 0
    for number in 0..<60 {
      let breaks = number % 7 == 3
      if breaks { count += 1 }
      let update = window.append(
        segment(number, discontinuities: count, isDiscontinuity: breaks), now: .zero)
      if let playlist = update.playlist { checker.take(playlist.text.plain) }
    }
    #expect(checker.problems == [])
    #expect(checker.discontinuitySequence == 6)
  }

  @Test func `a playlist that had a dependent segment never says independent again`() {
    var window = LiveWindow()
    var checker = PlaylistChecker()
    for number in 0..<40 {
      let update = window.append(segment(number, isIndependent: number != 5), now: .zero)
      if let playlist = update.playlist { checker.take(playlist.text.plain) }
      #expect(checker.isIndependent == (number < 5))
    }
    #expect(checker.problems == [])
  }

  @Test func `a number from before is not taken`() {
    var window = LiveWindow()
    _ = window.append(segment(5), now: .zero)
    #expect(window.append(segment(5), now: .zero).added == nil)
    #expect(window.append(segment(4), now: .zero).playlist == nil)
    #expect(window.segments.map(\.sequence) == [5])
  }

  @Test func `numbers that are missing empty the playlist rather than shift it`() {
    var window = LiveWindow()
    for number in [0, 1, 2, 10] { _ = window.append(segment(number), now: .zero) }
    #expect(window.segments.map(\.sequence) == [10])
    #expect(window.retiredSegments.count == 3)
  }

  @Test func `hours of a stream with drops keep every rule`() throws {
    let publisher = Publisher(hasAudio: false, pictureBytes: 20...40)
    var packager = StreamPackager()
    var viewer = Viewer()
    var random = SeededGenerator(state: 11)
    var clock: Int64 = 0
    while clock < 2 * 3_600_000 {
      packager.configure(try Publisher.configuration(.h264, Publisher.avc))
      var session = publisher
      session.group = [50, 60, 75, 110].randomElement(using: &random) ?? 50
      session.frameMilliseconds = 500 / 10
      session.base = .random(in: 0...4_000_000, using: &random)
      let seconds = Int64.random(in: 1...400, using: &random)
      viewer.watch(
        session.frames(from: .random(in: 0...3_000, using: &random), seconds: seconds), packager,
        date: clock - session.base)
      viewer.take([packager.interrupt()].compactMap { $0 })
      clock += (seconds + 5) * 1_000
      // Now and then the process is another one: it knows the state and no segments.
      if Bool.random(using: &random) {
        let state = viewer.window.state
        packager = StreamPackager(state: state)
      }
    }
    #expect(viewer.checker.problems == [])
    #expect(viewer.segments.map(\.sequence) == Array(0..<viewer.segments.count))
    #expect(viewer.segments.count { $0.isDiscontinuity } > 10)
  }
}

@Suite struct `Playlists` {
  @Test func `a token goes to every child and nowhere else`() throws {
    let playlist = MasterPlaylist([
      .init(
        uri: "source/index.m3u8",
        info: VariantInfo(
          bandwidth: 2_500_000, averageBandwidth: 2_100_000,
          codecs: ["avc1.64001F", "mp4a.40.2"], size: PictureSize(width: 1280, height: 720),
          frameRate: 30_000 / 1_001.0)),
      .init(
        uri: "240p/index.m3u8",
        info: VariantInfo(
          bandwidth: 400_000, averageBandwidth: 500_000, codecs: [], size: nil, frameRate: nil)),
    ])
    #expect(
      String(decoding: playlist.text.plain, as: UTF8.self) == """
        #EXTM3U
        #EXT-X-VERSION:6
        #EXT-X-STREAM-INF:BANDWIDTH=2500000,AVERAGE-BANDWIDTH=2100000,CODECS="avc1.64001F,mp4a.40.2",\
        RESOLUTION=1280x720,FRAME-RATE=29.970
        source/index.m3u8
        #EXT-X-STREAM-INF:BANDWIDTH=400000,AVERAGE-BANDWIDTH=400000
        240p/index.m3u8

        """)
    let query = Array("token=eyJ.a-b_c".utf8)
    let spliced = playlist.text.text(withQuery: query.span)
    let text = try #require(spliced)
    #expect(
      String(decoding: text, as: UTF8.self)
        == String(decoding: playlist.text.plain, as: UTF8.self)
        .replacing("index.m3u8", with: "index.m3u8?token=eyJ.a-b_c"))
    for hostile in ["a\nb", "a b", "a\"b", "a#b", "a\r", "é", "<"] {
      let query = Array(hostile.utf8)
      let refused = playlist.text.text(withQuery: query.span)
      #expect(refused == nil)
    }
    let none: [UInt8] = []
    let same = playlist.text.text(withQuery: none.span)
    #expect(same == playlist.text.plain)
  }

  @Test func `the gzipped text is smaller and begins as gzip does`() throws {
    let text = [UInt8](repeating: 65, count: 10_000)
    let compressed = Gzip.compress(text.span)
    let again = Gzip.compress(text.span)
    let gzipped = try #require(compressed)
    #expect(Array(gzipped.prefix(4)) == [0x1F, 0x8B, 8, 0])
    #expect(gzipped.count < 100)
    // The last four bytes are the length.
    #expect(Array(gzipped.suffix(4)) == [0x10, 0x27, 0, 0])
    #expect(again == gzipped)
  }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
    (1_735_689_599_999, "2024-12-31T23:59:59.999Z"),
    (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (-5, "1970-01-01T00:00:00.000Z"),
  ]) func `dates are written`(milliseconds: Int64, text: String) {
    #expect(ProgramDate.text(milliseconds) == text)
    #expect(ProgramDate.milliseconds(text) == max(0, milliseconds))
  }

  @Test func `each day is read as it was written`() {
    for day in stride(from: Int64(0), to: 60_000, by: 1) {
      let time = day * 86_400_000 + day * 1_439
      #expect(ProgramDate.milliseconds(ProgramDate.text(time)) == time)
    }
  }

  @Test(arguments: [
    "", "2024-12-31T23:59:59.999", "2024-12-31 23:59:59.999Z", "1969-12-31T23:59:59.999Z",
    "2024-13-31T23:59:59.999Z", "2024-12-00T23:59:59.999Z", "2024-12-31T24:59:59.999Z",
    "2024-12-31T23:60:59.999Z", "2024-12-31T23:59:60.999Z", "2024-12-3xT23:59:59.999Z",
  ]) func `what is no date is none`(text: String) {
    #expect(ProgramDate.milliseconds(text) == nil)
  }

  @Test(arguments: [
    (270_000, "3.000"), (270_270, "3.003"), (270_090, "3.001"), (1, "0.000011"),
    (89_999, "0.999989"), (90_001, "1.000011"),
  ]) func `durations are exact`(ticks: Int64, text: String) {
    #expect(MediaPlaylist.seconds(MediaTime(ticks: ticks)) == text)
  }

  @Test func `names are unlike each other`() {
    let names = Set((0..<1_000).map { _ in Segment.name(sequence: 12) })
    #expect(names.count == 1_000)
    #expect(names.allSatisfy { $0.hasPrefix("12-") && $0.hasSuffix(".ts") && $0.count == 16 })
  }
}

@Suite struct `Reload request` {
  @Test(
    arguments: [
      ("", .now), ("token=a", .now), ("_HLS_msn=5", .from(sequence: 5, part: nil)),
      ("_HLS_msn=5&_HLS_part=2", .from(sequence: 5, part: 2)),
      ("token=a&_HLS_part=0&_HLS_msn=12&_HLS_skip=YES", .from(sequence: 12, part: 0)),
      ("_HLS_part=1", .invalid), ("_HLS_msn=", .invalid), ("_HLS_msn=-1", .invalid),
      ("_HLS_msn=1x", .invalid), ("_HLS_msn=99999999999999999999", .invalid),
      ("_HLS_msn=1&_HLS_msn=2", .invalid), ("x_HLS_msn=1", .now),
      ("&&_HLS_msn=1&", .from(sequence: 1, part: nil)),
    ] as [(String, ReloadRequest)])
  func `directives are read`(query: String, request: ReloadRequest) {
    let bytes = Array(query.utf8)
    let parsed = ReloadRequest.parse(query: bytes.span)
    #expect(parsed == request)
  }

  @Test func `a playlist up to two numbers ahead is waited for`() {
    func answer(_ sequence: Int, isEnded: Bool = false) -> ReloadRequest.Answer {
      ReloadRequest.from(sequence: sequence, part: nil).answer(nextSequence: 10, isEnded: isEnded)
    }
    #expect(answer(9) == .respond)
    #expect(answer(0) == .respond)
    #expect(answer(10) == .hold(until: 10))
    #expect(answer(11) == .hold(until: 11))
    #expect(answer(12) == .badRequest)
    #expect(answer(12, isEnded: true) == .respond)
    #expect(ReloadRequest.now.answer(nextSequence: 10, isEnded: false) == .respond)
    #expect(ReloadRequest.invalid.answer(nextSequence: 10, isEnded: false) == .badRequest)
  }
}
