import Glibc
import Media
import Testing

@testable import Recording

/// A file that takes only so much, and can't be cut: a pipe that nobody reads.
private struct FullPipe: ~Copyable {
  let reading: Int32
  let writing: Int32

  init() throws {
    var ends: [Int32] = [-1, -1]
    let made = unsafe pipe(&ends)
    try #require(made == 0)
    (reading, writing) = (ends[0], ends[1])
    for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
  }

  /// All that it holds.
  func bytes() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = unsafe read(reading, &bytes, bytes.count)
    return Array(bytes.prefix(max(0, count)))
  }

  deinit { close(reading) }
}

@Suite struct `Part file` {
  private func append(_ count: Int, to file: PartFile) throws {
    let body = [UInt8](repeating: 0x27, count: 10_000)
    for index in 0..<count {
      try file.append(.video, timestamp: UInt32(index) * 40, body: body.span)
    }
  }

  @Test func `what can't be cut after its last whole tag is said, and nothing follows it`() throws {
    let pipe = try FullPipe()
    let file = PartFile(pipe.writing, "/a/part.flv", hasAudio: true, hasVideo: true)
    try append(20, to: file)
    let first = #expect(throws: DiskError.self) { try file.flush() }
    #expect(first?.call == "ftruncate")
    let torn = pipe.bytes()
    #expect(!torn.isEmpty)
    // There is room again, but what follows half a tag could not be found.
    try append(1, to: file)
    let second = #expect(throws: DiskError.self) { try file.flush() }
    #expect(second?.call == "ftruncate")
    #expect(pipe.bytes().count == 0)
    #expect(throws: DiskError.self) { try file.sync() }
  }

  @Test func `its size is what was written, and its name is its own`() throws {
    let folder = try Folder()
    let file = try PartFile(in: folder.path, name: "a.flv", hasAudio: true, hasVideo: true)
    try append(3, to: file)
    try file.flush()
    #expect(try tags(folder.bytes("a.flv")).count == 3)
    #expect(file.bytes == (try folder.bytes("a.flv").count))
    #expect(throws: DiskError.self) {
      try PartFile(in: folder.path, name: "a.flv", hasAudio: true, hasVideo: true)
    }
  }
}
