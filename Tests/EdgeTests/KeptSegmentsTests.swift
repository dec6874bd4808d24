import EventLoop
import Testing
import Viewers

@testable import Edge

@Suite struct `Segments that another process keeps` {
  private func feed() throws -> StreamFeed {
    let lines = (3...6).flatMap { number in
      let gap = number == 4 ? ["#EXT-X-GAP"] : []
      return gap + ["#EXTINF:2.000,", "\(number)-a.ts"]
    }
    let head = ["#EXTM3U", "#EXT-X-TARGETDURATION:2", "#EXT-X-MEDIA-SEQUENCE:3"]
    let playlist = (head + lines).joined(separator: "\\n") + "\\n"
    let json = """
      {"wedding":"w","camera":"main","launch":"a","version":1,"isOver":false,"isProgram":true,
      "masters":[],"programMasters":[],"coming":[],"renditions":[{"name":"source","viewers":1,
      "nextSequence":7,"targetDuration":2,"playlist":"\(playlist)","segments":[]}]}
      """
    return try #require(StreamFeed(json: Array(json.utf8)))
  }

  private func numbers(_ length: Duration) throws -> [Int] {
    let kept = KeptSegments(try feed(), length: length)
    return (3...6).filter { kept.contains("/hls/w/main/source/\($0)-a.ts") }
  }

  @Test func `they are the newest, as far back as it keeps them`() throws {
    #expect(try numbers(.seconds(60)) == [3, 5, 6])
    #expect(try numbers(.seconds(3)) == [5, 6])
  }

  @Test func `there are none where it has ended`() throws {
    #expect(try numbers(.zero) == [])
  }
}
