import Media
import Testing

@testable import Recording

@Suite struct `Parts that nobody ended` {
  let folder: Folder

  init() throws { folder = try Folder() }

  /// A file of some tags, and where each ends.
  private func file() -> (bytes: [UInt8], ends: [Int]) {
    var bytes: [UInt8] = []
    FLVWriter.header(hasAudio: true, hasVideo: true, to: &bytes)
    var ends: [Int] = []
    for index in 0..<5 {
      let body = [UInt8](repeating: 0x27, count: 10 + index * 3)
      FLVWriter.tag(.video, timestamp: UInt32(index) * 40, body: body.span, to: &bytes)
      ends.append(bytes.count)
    }
    return (bytes, ends)
  }

  @Test func `are cut after their last whole tag, wherever they were cut off`() throws {
    let (bytes, ends) = file()
    for length in 0...bytes.count {
      try folder.write(Array(bytes.prefix(length)), "a.flv")
      let outcome = try FLVRecovery.repair(folder.file("a.flv"))
      let kept = ends.last { $0 <= length } ?? 0
      #expect(outcome.bytes == kept, "cut at \(length)")
      #expect(outcome.lostBytes == length - kept)
      #expect(try folder.bytes("a.flv") == Array(bytes.prefix(kept)))
      #expect(outcome.milliseconds == Int64(max(0, ends.count { $0 <= length } - 1)) * 40)
    }
  }

  @Test func `are cut before what a power cut left`() throws {
    let (bytes, _) = file()
    for rubbish in [[UInt8](repeating: 0, count: 5_000), [UInt8](repeating: 0xFF, count: 40)] {
      try folder.write(bytes + rubbish, "a.flv")
      #expect(try FLVRecovery.repair(folder.file("a.flv")).bytes == bytes.count)
      #expect(try folder.bytes("a.flv") == bytes)
    }
  }

  @Test func `keep what follows a place that a power cut has spoilt`() throws {
    let (bytes, ends) = file()
    for spoilt in [ends[0]..<ends[0] + 4, ends[0] + 3..<ends[2], ends[1] - 4..<ends[1]] {
      var broken = bytes
      for index in spoilt { broken[index] = 0 }
      try folder.write(broken + [9, 0, 0, 200, 1, 2, 3], "a.flv")
      let outcome = try FLVRecovery.repair(folder.file("a.flv"))
      #expect(outcome == .init(bytes: bytes.count, milliseconds: 160, lostBytes: 7))
      #expect(try folder.bytes("a.flv") == broken)
    }
  }

  @Test func `are empty where they are no FLV`() throws {
    try folder.write(Array("something else entirely".utf8), "a.flv")
    #expect(try FLVRecovery.repair(folder.file("a.flv")).bytes == 0)
    #expect(throws: DiskError.self) { try FLVRecovery.repair(folder.file("none.flv")) }
  }
}
