import Bytes
import Media
import TestSupport
import Testing

@testable import Transcode

#if canImport(Glibc)
  import Glibc
#endif

@Suite struct `FLV that a disk or a crash has left` {
  private let tags = [
    FLVTag(kind: .script, timestamp: 0, body: [2, 0, 1, 0x61]),
    FLVTag(kind: .video, timestamp: 0, body: [0x17, 0, 0, 0, 0, 1, 2, 3]),
    FLVTag(kind: .audio, timestamp: 0x0100_0002, body: []),
    FLVTag(kind: .video, timestamp: 40, body: [UInt8](repeating: 9, count: 300)),
    FLVTag(kind: .audio, timestamp: 41, body: [0xAF, 1, 8, 9, 18]),
  ]

  private func file(_ tags: [FLVTag], header: Bool = true) -> [UInt8] {
    var bytes: [UInt8] = []
    if header { FLVWriter.header(hasAudio: true, hasVideo: true, to: &bytes) }
    for tag in tags {
      FLVWriter.tag(tag.kind, timestamp: tag.timestamp, body: tag.body.span, to: &bytes)
    }
    return bytes
  }

  /// All steps of bytes that come in pieces.
  private func steps(_ bytes: [UInt8], pieces: Int = 1 << 20) -> [TagScanner.Step] {
    var scanner = TagScanner()
    var steps: [TagScanner.Step] = []
    var start = 0
    while true {
      let step = scanner.next(isEnd: start == bytes.count)
      if step != .needsMore {
        steps.append(step)
      } else if start < bytes.count {
        let end = min(start + pieces, bytes.count)
        scanner.append(bytes[start..<end].span)
        start = end
      } else {
        return steps
      }
    }
  }

  private func tags(_ steps: [TagScanner.Step]) -> [FLVTag] {
    steps.compactMap { if case .tag(let tag) = $0 { tag } else { nil } }
  }

  private func skipped(_ steps: [TagScanner.Step]) -> Int {
    steps.reduce(0) { if case .skipped(let bytes) = $1 { $0 + bytes } else { $0 } }
  }

  @Test(arguments: [1, 2, 3, 7, 13, 64, 1_000])
  func `a whole file gives its tags, however it comes`(_ pieces: Int) {
    #expect(steps(file(tags), pieces: pieces) == tags.map { .tag($0) })
  }

  @Test func `a file cut off anywhere gives its whole tags, and no damage`() {
    let bytes = file(tags)
    for count in 13...bytes.count {
      let found = steps(Array(bytes[..<count]), pieces: 50)
      #expect(skipped(found) == 0)
      #expect(tags.starts(with: tags(found)))
    }
    // The size after the last tag adds nothing to it.
    #expect(tags(steps(Array(bytes.dropLast(4)))) == tags)
  }

  @Test func `garbage between tags is passed over, whatever it is`() {
    for count in [1, 3, 11, 40, 5_000] {
      for byte in [0, 8, 9, 18, 0xFF] as [UInt8] {
        let garbage = [UInt8](repeating: byte, count: count)
        let bytes = file(Array(tags[..<2])) + garbage + file(Array(tags[2...]), header: false)
        let found = steps(bytes, pieces: 100)
        #expect(tags(found) == tags)
        #expect(skipped(found) == count)
      }
    }
  }

  @Test func `a tag whose size is wrong costs itself and no other`() {
    var bytes = file(tags)
    let place = 13 + 15 + 4 + 15 + 8 + 15 + 0  // the fourth tag's head
    for wrong in [0, 1, 2, 250, 299, 301, 10_000, 0xFF_FFFF] {
      var size: [UInt8] = []
      size.append(u24: UInt32(wrong))
      bytes.replaceSubrange(place + 1..<place + 4, with: size)
      let found = tags(steps(bytes, pieces: 100))
      #expect(found.prefix(3) == tags.prefix(3))
      #expect(found.last == tags.last)
    }
  }

  @Test func `a file without its head, or with another, gives its tags`() {
    #expect(tags(steps(file(tags, header: false))) == tags)
    #expect(tags(steps([UInt8](repeating: 0, count: 4096) + file(tags, header: false))) == tags)
    var other = file(tags)
    other[0] = 0
    #expect(tags(steps(other)) == tags)
  }

  @Test func `who reads what is nothing hears how far it is`() throws {
    let folder = TemporaryFolder()
    let path = try folder.file("a", [UInt8](repeating: 0xA5, count: 3 << 20))
    let descriptor = unsafe open(path, O_RDONLY)
    defer { close(descriptor) }
    var part = RecordedPart(descriptor: descriptor)
    var places: Set<Int> = []
    while try part.next() != nil { places.insert(part.position) }
    #expect(places.count >= 6)
    #expect(part.position == 3 << 20)
  }

  @Test func `nothing, and what is nothing, ends`() {
    #expect(steps([]).isEmpty)
    #expect(tags(steps([0x46, 0x4C, 0x56])).isEmpty)
    #expect(tags(steps([UInt8](repeating: 9, count: 100_000), pieces: 5_000)).isEmpty)
  }

  @Test func `sizes that a writer counts otherwise are no damage`() {
    var bytes = file(tags)
    // Without the 11 bytes of the head, as some count them.
    bytes.replaceSubrange(13 + 15..<13 + 15 + 4, with: [0, 0, 0, 4])
    let found = steps(bytes)
    #expect(tags(found) == tags)
    #expect(skipped(found) == 0)
  }
}
