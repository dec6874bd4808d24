import Media
import Testing

@testable import HLS

@Suite struct `Playlist, keys` {
  private func segment(_ sequence: Int, key: String?) -> Segment {
    let plain = Segment(
      name: "\(sequence).ts", sequence: sequence, discontinuitySequence: 0, bytes: [0x47],
      duration: MediaTime(seconds: 3), startTime: MediaTime(seconds: Double(sequence) * 3),
      programDate: 1_764_283_379_000 + Int64(sequence) * 3_000, isDiscontinuity: false,
      isIndependent: true, targetDuration: 3)
    return key.map { plain.sealed([1, 2], with: SegmentKey(uri: "/keys/w/\($0).key")) } ?? plain
  }

  private func text(_ keys: [String?]) throws -> PlaylistText {
    var window = LiveWindow()
    for (sequence, key) in keys.enumerated() {
      _ = window.append(segment(sequence, key: key), now: .zero)
    }
    return try #require(window.playlist).text
  }

  private func lines(_ bytes: [UInt8]) -> [Substring] {
    String(decoding: bytes, as: UTF8.self).split(separator: "\n")
      .filter { !$0.hasPrefix("#") || $0.hasPrefix("#EXT-X-KEY") }
  }

  @Test func `a key stands once, before the first segment that it is for`() throws {
    let text = try text(["a", "a", "b", nil, nil, "b"])
    #expect(
      lines(text.plain) == [
        #"#EXT-X-KEY:METHOD=AES-128,URI="/keys/w/a.key""#, "0.ts", "1.ts",
        #"#EXT-X-KEY:METHOD=AES-128,URI="/keys/w/b.key""#, "2.ts",
        "#EXT-X-KEY:METHOD=NONE", "3.ts", "4.ts",
        #"#EXT-X-KEY:METHOD=AES-128,URI="/keys/w/b.key""#, "5.ts",
      ])
  }

  @Test func `plain segments name no key`() throws {
    let text = try text([nil, nil])
    #expect(lines(text.plain) == ["0.ts", "1.ts"])
  }

  @Test func `a viewer's token is handed on to the key as well`() throws {
    let text = try text(["a"])
    let query = Array("token=x.y".utf8)
    let spliced = text.text(withQuery: query.span)
    #expect(
      lines(try #require(spliced)) == [
        #"#EXT-X-KEY:METHOD=AES-128,URI="/keys/w/a.key?token=x.y""#, "0.ts?token=x.y",
      ])
  }
}
