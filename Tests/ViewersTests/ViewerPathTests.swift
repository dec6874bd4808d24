import HTTPServer
import TestSupport
import Testing

@testable import Viewers

@Suite struct `Viewer path` {
  private func parts(_ text: String) -> [String?]? {
    let bytes = Array(text.utf8)
    guard let path = ViewerPath(bytes.span) else { return nil }
    return [path.wedding, path.camera, path.rendition, path.file].map { range in
      range.map { String(decoding: bytes[$0], as: UTF8.self) }
    }
  }

  @Test func `an address is taken apart from the left`() {
    #expect(parts("/hls/w/index.m3u8") == ["w", nil, nil, "index.m3u8"])
    #expect(parts("/hls/w/main/index.m3u8") == ["w", "main", nil, "index.m3u8"])
    #expect(parts("/hls/w/c2/source/7-a.ts") == ["w", "c2", "source", "7-a.ts"])
  }

  @Test(arguments: [
    "", "/", "/hls", "/hls/", "/hls/w", "/hls//x", "/hls/w/", "/hls/w//x", "/hls/w/c/",
    "/hls/w/c/r/s/t", "/HLS/w/x", "/hlsx/w/x", "hls/w/x", "/hls/w/c/r/",
  ]) func `any other shape is none`(text: String) {
    #expect(parts(text) == nil)
  }
}

@Suite struct `Rendition snapshot` {
  private func rendition(_ sequences: [Int]) -> RenditionSnapshot {
    RenditionSnapshot(
      name: Array("source".utf8), playlist: .sample("#EXTM3U\n"), nextSequence: 0,
      targetDuration: 3,
      segments: sequences.map { sequence in
        SegmentResponse(
          sequence: sequence, name: Array("\(sequence)-tag.ts".utf8), byteCount: 0,
          response: PreparedResponse(status: 200 + sequence % 50, fields: [], body: []))
      })
  }

  private func found(_ name: String, _ sequences: [Int]) -> Bool {
    let segment = rendition(sequences).segment(Array(name.utf8).span)
    guard let number = Int(name.prefix { $0 != "-" }) else { return segment != nil }
    if let segment { #expect(segment.prepared?.status == 200 + number % 50) }
    return segment != nil
  }

  @Test func `each segment is found by its name, over gaps in the numbers`() {
    let sequences = [5, 6, 7, 300, 301, 4_000]
    for sequence in sequences { #expect(found("\(sequence)-tag.ts", sequences)) }
    for missing in [0, 4, 8, 299, 302, 3_999, 4_001, 999_999_999_999_999] {
      #expect(!found("\(missing)-tag.ts", sequences))
    }
  }

  @Test(arguments: [
    "", "-", "-tag.ts", "5", "5-", "5-tag", "5-tag.tsx", "05-tag.ts", "5-TAG.ts", "5 -tag.ts",
    "99999999999999999999999999-tag.ts", "x5-tag.ts", "\u{0}",
  ]) func `any other name finds nothing`(name: String) {
    #expect(!found(name, [4, 5, 6]))
    #expect(!found(name, []))
  }
}
