import Foundation
import HLS
import Testing

@testable import Edge

@Suite struct `Segments of the node before` {
  private func playlist(
    _ numbers: ClosedRange<Int>, breaks: Int = 0, breakBefore: Int? = nil, key: String? = nil,
    of node: String = "x"
  ) throws -> MediaPlaylistText {
    var lines = [
      "#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:3",
      "#EXT-X-MEDIA-SEQUENCE:\(numbers.lowerBound)", "#EXT-X-DISCONTINUITY-SEQUENCE:\(breaks)",
      "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    if let key { lines.append("#EXT-X-KEY:METHOD=AES-128,URI=\"\(key)\"") }
    for number in numbers {
      if number == breakBefore { lines.append("#EXT-X-DISCONTINUITY") }
      lines += ["#EXTINF:3.000,", "\(number)-\(node).ts"]
    }
    return try #require(MediaPlaylistText(lines.joined(separator: "\n") + "\n"))
  }

  private func numbers(_ text: String) -> [Int] {
    text.split(separator: "\n").filter { !$0.hasPrefix("#") }
      .compactMap { Int($0.prefix { $0 != "-" }) }
  }

  @Test func `where a stream goes on after a playlist is in it`() throws {
    let state = try #require(try playlist(11...16, breaks: 2, breakBefore: 13).stateAfter)
    #expect(
      state
        == WindowState(
          nextSequence: 17, discontinuitySequence: 3, targetDuration: 3, endDate: 18_000))
    let dated = """
      #EXTM3U
      #EXT-X-TARGETDURATION:3
      #EXT-X-MEDIA-SEQUENCE:7
      #EXT-X-PROGRAM-DATE-TIME:2026-11-27T22:42:59.123Z
      #EXTINF:2.500,
      7-a.ts
      #EXTINF:1.000,
      8-b.ts

      """
    let end = ProgramDate.milliseconds("2026-11-27T22:43:02.623Z")
    #expect(MediaPlaylistText(dated)?.stateAfter?.endDate == end)
    #expect(MediaPlaylistText("#EXTM3U\n")?.stateAfter == nil)
  }

  @Test func `stay listed until they would have left the window`() throws {
    var carried = CarriedSegments()
    let before = try playlist(11...16, breaks: 2)
    var after = try playlist(17...17, breaks: 2, breakBefore: 17)
    carried.begin(before, after) { _ in true }
    var text = carried.text(after)
    #expect(numbers(text) == Array(12...17))
    #expect(text.contains("#EXT-X-MEDIA-SEQUENCE:12\n"))
    #expect(text.contains("#EXT-X-DISCONTINUITY-SEQUENCE:2\n"))
    #expect(text.contains("16-x.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:3.000,\n17-x.ts\n"))
    #expect(text.hasPrefix("#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:3\n"))
    after = try playlist(17...20, breaks: 2, breakBefore: 17)
    carried.trim(after)
    #expect(numbers(carried.text(after)) == Array(15...20))
    after = try playlist(17...22, breaks: 2, breakBefore: 17)
    carried.trim(after)
    #expect(carried.isEmpty)
    text = carried.text(after)
    #expect(numbers(text) == Array(17...22))
    #expect(text.contains("#EXT-X-DISCONTINUITY-SEQUENCE:2\n"))
  }

  @Test func `of a stream that has just begun stay listed as long as the window is`() throws {
    var carried = CarriedSegments()
    let after = try playlist(3...6, breakBefore: 3)
    carried.begin(try playlist(0...2), after, window: 18) { _ in true }
    #expect(numbers(carried.text(after)) == Array(1...6))
    carried.trim(try playlist(3...8, breakBefore: 3))
    #expect(carried.isEmpty)
    // Where nobody says how long that is, as long as it was.
    carried.begin(try playlist(0...2), after) { _ in true }
    #expect(carried.isEmpty)
  }

  @Test func `can be had for as long again when they are listed no more`() throws {
    var carried = CarriedSegments()
    carried.begin(try playlist(11...16), try playlist(17...17)) { $0 != "13-x.ts" }
    #expect(carried.unlistedNames == ["11-x.ts"])
    carried.trim(try playlist(17...23))
    #expect(carried.isEmpty && !carried.isOver)
    #expect(carried.unlistedNames == [11, 12, 14, 15, 16].map { "\($0)-x.ts" })
    carried.trim(try playlist(19...24))
    #expect(carried.unlistedNames == [12, 14, 15, 16].map { "\($0)-x.ts" })
    carried.trim(try playlist(25...30))
    #expect(!carried.isOver)
    carried.trim(try playlist(26...31))
    #expect(carried.isOver)
    // Another node has nothing of those before.
    carried.begin(try playlist(11...16), try playlist(17...17)) { _ in true }
    carried.begin(try playlist(11...16), try playlist(40...40)) { _ in true }
    #expect(carried.isOver)
  }

  @Test func `a discontinuity that has gone is counted`() throws {
    var carried = CarriedSegments()
    let before = try playlist(11...16, breaks: 4, breakBefore: 12)
    carried.begin(before, try playlist(17...18, breakBefore: 17)) { _ in true }
    let text = carried.text(try playlist(17...18, breakBefore: 17))
    #expect(numbers(text) == Array(13...18))
    #expect(text.contains("#EXT-X-DISCONTINUITY-SEQUENCE:5\n"))
  }

  @Test func `what the edge hasn't got is a gap`() throws {
    var carried = CarriedSegments()
    let after = try playlist(17...17)
    carried.begin(try playlist(11...16), after) { $0 != "13-x.ts" }
    let text = carried.text(after)
    #expect(numbers(text) == Array(12...17))
    #expect(text.contains("#EXTINF:3.000,\n#EXT-X-GAP\n13-x.ts\n#EXTINF"))
    #expect(text.count(of: "#EXT-X-GAP") == 1)
    #expect(text.hasPrefix("#EXTM3U\n#EXT-X-VERSION:8\n"))
    #expect(carried.names == [12, 14, 15, 16].map { "\($0)-x.ts" })
    // Nobody could have anything from before the first one that is here.
    carried.begin(try playlist(11...16), after) { $0 > "14" }
    #expect(numbers(carried.text(after)) == Array(14...17))
    #expect(!carried.text(after).contains("GAP"))
    carried.begin(try playlist(11...16), after) { _ in false }
    #expect(carried.isEmpty)
  }

  @Test func `what was announced to nobody is a gap, if it isn't long`() throws {
    var carried = CarriedSegments()
    let after = try playlist(17...17, breakBefore: 17, key: "/new")
    carried.begin(try playlist(11...15, key: "/old"), after) { _ in true }
    let text = carried.text(after)
    #expect(numbers(text) == Array(13...17))
    #expect(
      text.contains("15-x.ts\n#EXT-X-GAP\n#EXTINF:3.000,\n16-gap.ts\n#EXT-X-KEY"), "\(text)")
    #expect(carried.names == (13...15).map { "\($0)-x.ts" })
    // The next node dies as well: a gap stays one.
    let next = try playlist(18...18, breakBefore: 18)
    carried.begin(try #require(MediaPlaylistText(text)), next) { !$0.contains("gap") }
    #expect(numbers(carried.text(next)) == Array(14...18))
    #expect(carried.text(next).count(of: "#EXT-X-GAP") == 1)
    carried.begin(try playlist(9...13), after) { _ in true }
    #expect(numbers(carried.text(after)) == Array(13...17))
    carried.begin(try playlist(11...12), after) { _ in true }
    #expect(carried.isEmpty)
  }

  @Test func `what the next node has made once more is not listed where it is here`() throws {
    var carried = CarriedSegments()
    let before = try playlist(11...16, breaks: 2, key: "/old")
    func after(_ numbers: ClosedRange<Int>) throws -> MediaPlaylistText {
      let isWhole = numbers.contains(16)
      return try playlist(
        numbers, breaks: isWhole ? 2 : 3, breakBefore: 16, key: "/new", of: "y")
    }
    carried.begin(before, try after(16...16)) { _ in true }
    // The next node has nothing new yet.
    #expect(carried.text(try after(16...16)) == before.text(after: [], breaks: 0, target: 1))
    #expect(carried.standInPlace(of: "16-y.ts") && !carried.standInPlace(of: "17-y.ts"))
    carried.trim(try after(16...17))
    var text = carried.text(try after(16...17))
    #expect(numbers(text) == Array(12...17))
    #expect(text.contains("#EXT-X-DISCONTINUITY-SEQUENCE:2\n"))
    #expect(
      text.contains(
        "16-x.ts\n#EXT-X-KEY:METHOD=AES-128,URI=\"/new\"\n#EXT-X-DISCONTINUITY\n#EXTINF:3.000,\n17-y.ts\n"
      ), "\(text)")
    // It stays away when all that was before has gone, as long as that node lists it.
    carried.trim(try after(16...22))
    text = carried.text(try after(16...22))
    #expect(!carried.isEmpty)
    #expect(numbers(text) == Array(17...22))
    #expect(text.contains("#EXT-X-DISCONTINUITY-SEQUENCE:2\n"))
    #expect(text.contains("/new\"\n#EXT-X-DISCONTINUITY\n#EXTINF:3.000,\n17-y.ts\n"))
    carried.trim(try after(17...23))
    #expect(carried.isEmpty)
    #expect(carried.text(try after(17...23)).contains("#EXT-X-DISCONTINUITY-SEQUENCE:3\n"))
    // Which of the two can be had does not change while one can.
    #expect(carried.unlistedNames.last == "16-x.ts")
    #expect(carried.standInPlace(of: "16-y.ts") && !carried.standInPlace(of: "17-y.ts"))
  }

  @Test func `what the next node has made once more is listed where it isn't here`() throws {
    var carried = CarriedSegments()
    let after = try playlist(16...17, breaks: 2, breakBefore: 16, of: "y")
    // Viewers were not told of it, or it is not to be had.
    for before in [11...15, 11...16] {
      carried.begin(try playlist(before, breaks: 2), after, window: 18) { $0 != "16-x.ts" }
      let text = carried.text(after)
      #expect(numbers(text) == Array(12...17))
      #expect(text.contains("15-x.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:3.000,\n16-y.ts\n"))
      #expect(!text.contains("GAP"))
    }
    // Of several, the first that isn't here.
    carried.begin(
      try playlist(11...17, breaks: 2), try playlist(15...18, breakBefore: 15, of: "y")
    ) { $0 != "16-x.ts" }
    #expect(carried.names.suffix(2) == ["14-x.ts", "15-x.ts"])
    #expect(carried.standInPlace(of: "15-y.ts") && !carried.standInPlace(of: "16-y.ts"))
    // The same node's own segments are the same.
    carried.begin(try playlist(11...16), try playlist(13...17)) { _ in true }
    #expect(carried.names == ["12-x.ts"])
    #expect(!carried.standInPlace(of: "13-x.ts"))
  }

  @Test func `what follows it stays a discontinuity where the next node lists no more of it`()
    throws
  {
    var carried = CarriedSegments()
    // Windows are as long as their segments make them, so this one may keep more than that node's
    // does.
    carried.begin(
      try playlist(11...16, breaks: 2), try playlist(16...16, breaks: 2, breakBefore: 16, of: "y"),
      window: 24
    ) { _ in true }
    let after = try playlist(17...22, breaks: 3, of: "y")
    carried.trim(after)
    var text = carried.text(after)
    #expect(numbers(text) == Array(15...22))
    #expect(text.contains("#EXT-X-DISCONTINUITY-SEQUENCE:2\n"))
    #expect(text.contains("16-x.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:3.000,\n17-y.ts\n"))
    carried.trim(try playlist(17...24, breaks: 3, of: "y"))
    text = carried.text(try playlist(17...24, breaks: 3, of: "y"))
    #expect(carried.isEmpty)
    #expect(text.contains("#EXT-X-DISCONTINUITY-SEQUENCE:3\n#EXTINF"))
  }

  @Test func `nothing is listed of before what the next node has let go of`() throws {
    var carried = CarriedSegments()
    let begun = try playlist(17...17, breaks: 2, breakBefore: 17)
    carried.begin(try playlist(11...16, breaks: 2), begun, window: 60) { _ in true }
    // Numbers are counted from the first one: 18 would be taken for 17.
    let after = try playlist(18...23, breaks: 3)
    carried.trim(after)
    #expect(carried.isEmpty)
    let text = carried.text(after)
    #expect(numbers(text) == Array(18...23))
    #expect(text.contains("#EXT-X-MEDIA-SEQUENCE:18\n#EXT-X-DISCONTINUITY-SEQUENCE:3\n"))
    // The same where it has made the last ones once more.
    carried.begin(
      try playlist(11...16, breaks: 2), try playlist(16...16, breaks: 2, breakBefore: 16, of: "y"),
      window: 60
    ) { _ in true }
    carried.trim(try playlist(18...23, breaks: 3, of: "y"))
    #expect(carried.isEmpty)
  }

  @Test func `each has its own key`() throws {
    var carried = CarriedSegments()
    let after = try playlist(17...17, breakBefore: 17, key: "/new")
    carried.begin(try playlist(11...16, key: "/old"), after) { _ in true }
    let text = carried.text(after)
    let lines = text.split(separator: "\n").map(String.init)
    let old = try #require(lines.firstIndex { $0.contains("/old") })
    let first = try #require(lines.firstIndex { $0.hasPrefix("12-") })
    let new = try #require(lines.firstIndex { $0.contains("/new") })
    let last = try #require(lines.firstIndex { $0.hasPrefix("16-") })
    #expect(old < first)
    #expect(new > last)
  }

  @Test func `a playlist that is taken apart is the same put together`() throws {
    let before = try playlist(11...16, breaks: 3, breakBefore: 14, key: "/k")
    let text = before.text(after: [], breaks: 0, target: 1)
    #expect(MediaPlaylistText(text) == before)
    #expect(MediaPlaylistText("#EXTM3U\nwithout-a-number.ts\n") == nil)
  }
}

extension String {
  /// How often something stands in it.
  fileprivate func count(of part: String) -> Int { components(separatedBy: part).count - 1 }
}
