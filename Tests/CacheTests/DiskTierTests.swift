import CLinux
import Foundation
import Glibc
import Synchronization
import Testing

@testable import Cache

@Suite struct `Disk tier`: OnDisk {
  let folder = TestFolder()

  @Test func `what was stored is there, after a restart too`() async {
    let one = object("/a", Array(0..<200), tags: ["wedding", "camera"])
    let none = object("/b", [])
    let first = tier()
    #expect(first.store(one))
    #expect(first.store(none))
    await first.settle()
    #expect(await read(first, one) == one)
    let second = tier()
    await second.settle()
    #expect(await read(second, one) == one)
    #expect(await read(second, none) == none)
    #expect(await read(second, object("/c", [])) == nil)
    #expect(second.usage.count == 2)
    #expect(second.usage.bytes == first.usage.bytes)
  }

  @Test func `a folder goes from one process to the next with all that is in it`() async {
    let one = object("/a", Array(0..<200))
    let late = object("/b", [1])
    let first = tier()
    #expect(first.store(one))
    let second = DiskTier(folder.path, isOwn: false)
    #expect(!second.store(late))
    #expect(await read(second, one) == nil)
    await first.release()
    second.open()
    await second.settle()
    #expect(await read(second, one) == one)
    // The first one neither finds, stores nor removes anything any more.
    #expect(!first.contains(one.key))
    #expect(!first.store(late))
    first.remove(one.key)
    await first.settle()
    #expect(await read(second, one) == one)
    first.open()
    await first.settle()
    #expect(await read(first, one) == nil)
  }

  @Test func `one wrong byte anywhere, and it is not there`() async throws {
    let one = object("/a", Array(0..<40), tags: ["t"])
    let first = tier()
    first.store(one)
    await first.settle()
    let whole = try Data(contentsOf: URL(filePath: folder.file(one)))
    for index in 0..<whole.count {
      var spoilt = whole
      spoilt[index] ^= 0x10
      try spoilt.write(to: URL(filePath: folder.file(one)))
      let tier = tier()
      await tier.settle()
      #expect(await read(tier, one) == nil, "byte \(index)")
      #expect(tier.usage.damaged == 1)
      await tier.settle()
      #expect(folder.files.isEmpty)
      #expect(!tier.contains(one.key))
      tier.store(one)
      await tier.settle()
    }
  }

  @Test func `a file cut anywhere is not there`() async throws {
    let one = object("/a", Array(0..<40))
    let first = tier()
    first.store(one)
    await first.settle()
    let url = URL(filePath: folder.file(one))
    let whole = try Data(contentsOf: url)
    for length in 0...whole.count + 1 where length != whole.count {
      try (whole + [0]).prefix(length).write(to: url)
      let (head, body, problem) = DiskFiles.readObject(url.path, most: 1_000)
      #expect(problem == 0)
      #expect(throws: DiskObject.Damage.truncated, "\(length) bytes") {
        _ = try DiskObject(fileHead: head, body: body, key: one.key)
      }
    }
    try whole.write(to: url)
    #expect(DiskFiles.readObject(url.path, most: whole.count - 1).problem == EFBIG)
    #expect(await read(first, one) == one)
  }

  @Test func `a journal cut anywhere tells of what it still has`() async throws {
    let objects = (0..<5).map { object("/\($0)", [UInt8($0)], tags: ["t"]) }
    let first = tier()
    for each in objects { first.store(each) }
    await first.settle()
    let path = folder.path + "/journal"
    let whole = try Data(contentsOf: URL(filePath: path))
    for length in stride(from: whole.count, through: 0, by: -1) {
      try whole.prefix(length).write(to: URL(filePath: path))
      var journal = DiskJournal(path)
      var found = 0
      #expect(journal.load { _ in found += 1 } == 0)
      #expect(found == length * 5 / whole.count)
      // The next record follows the last whole one.
      #expect(journal.append(.gone(objects[0].key)) == 0)
      journal.close()
      var again = DiskJournal(path)
      var then = 0
      #expect(again.load { _ in then += 1 } == 0)
      #expect(then == found + 1)
    }
  }

  @Test func `a restart without a journal leaves no file behind`() async throws {
    let one = object("/a", [1])
    let first = tier()
    first.store(one)
    await first.settle()
    try FileManager.default.removeItem(atPath: folder.path + "/journal")
    let second = tier()
    await second.settle()
    #expect(await read(second, one) == nil)
    #expect(folder.files.isEmpty)
  }

  @Test func `a file that has gone is only a miss`() async throws {
    let one = object("/a", [1])
    let tier = tier()
    tier.store(one)
    await tier.settle()
    try FileManager.default.removeItem(atPath: folder.file(one))
    #expect(await read(tier, one) == nil)
    #expect(!tier.contains(one.key))
    #expect(tier.usage.failures == 0)
  }

  /// What may stand in a file's place: a link to a file that isn't ours, a link to nothing, a pipe,
  /// a folder, and a file that says to be enormous.
  private static let strangers: [@Sendable (_ path: String, _ other: String) throws -> Void] = [
    { try FileManager.default.createSymbolicLink(atPath: $0, withDestinationPath: $1) },
    { path, _ in
      try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path + "x")
    },
    { path, _ in #expect(unsafe mkfifo(path, 0o600) == 0) },
    { path, _ in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    },
    { path, _ in
      #expect(FileManager.default.createFile(atPath: path, contents: Data()))
      #expect(unsafe truncate(path, 1 << 40) == 0)
    },
  ]

  @Test(arguments: 0..<5)
  func `what stands in a file's place is neither read, waited for nor written to`(_ kind: Int)
    async throws
  {
    let outside = TestFolder()
    try FileManager.default.createDirectory(
      atPath: outside.path, withIntermediateDirectories: true)
    let other = outside.path + "/other"
    let one = object("/a", Array(0..<200))
    let first = tier()
    first.store(one)
    await first.settle()
    // It would be right if it were ours.
    try FileManager.default.moveItem(atPath: folder.file(one), toPath: other)
    let before = try Data(contentsOf: URL(filePath: other))
    try Self.strangers[kind](folder.file(one), other)
    try Self.strangers[kind](folder.file(one) + ".partial", other)
    let second = tier()
    await second.settle()
    #expect(await read(second, one) == nil)
    await second.settle()
    #expect(second.store(one))
    await second.settle()
    #expect(await read(second, one) == one)
    #expect(second.usage.failures <= 1)
    #expect(folder.files.map { $0.suffix(8) } == ["\(folder.file(one).suffix(8))"])
    #expect(try Data(contentsOf: URL(filePath: other)) == before)
  }

  @Test(arguments: [0, 1, 2])
  func `what stands in the journal's place is no journal`(_ kind: Int) async throws {
    let one = object("/a", [1])
    let outside = TestFolder()
    try FileManager.default.createDirectory(
      atPath: outside.path, withIntermediateDirectories: true)
    let other = outside.path + "/other"
    try Data("not a journal, and not ours".utf8).write(to: URL(filePath: other))
    try FileManager.default.createDirectory(
      atPath: folder.path, withIntermediateDirectories: true)
    for name in ["journal", "journal.partial", "position"] {
      try Self.strangers[kind]("\(folder.path)/\(name)", other)
    }
    let tier = tier { $0.pause = .zero }
    await tier.settle()
    tier.note(position: "7-1")
    #expect(tier.store(one))
    await tier.settle()
    #expect(await read(tier, one) == one)
    let next = self.tier()
    await next.settle()
    #expect(await read(next, one) == one)
    #expect(next.position == "7-1")
    #expect(try Data(contentsOf: URL(filePath: other)).count == 27)
  }

  @Test func `it never holds more than it may`() async {
    let tier = tier {
      $0.bytes = 200_000
      $0.count = 30
    }
    for number in 0..<200 {
      tier.store(object("/\(number)", Array(repeating: 1, count: number % 7 * 2_000)))
    }
    await tier.settle()
    #expect(tier.usage.bytes <= 200_000)
    #expect(tier.usage.count <= 30)
    #expect(tier.usage.written == 200)
    #expect(folder.files.count == tier.usage.count)
    #expect(!tier.store(object("/large", Array(repeating: 0, count: 17 << 20))))
    #expect(tier.usage.skipped == 1)
  }

  @Test func `what is asked for under another name is not there`() async {
    let one = object("/a", [1])
    let tier = tier()
    tier.store(one)
    await tier.settle()
    var other = one
    other.name = "/b"
    #expect(await read(tier, other) == nil)
    #expect(await read(tier, one) == one)
  }

  @Test func `a disk that takes nothing is left alone`() async throws {
    try FileManager.default.createDirectory(
      atPath: folder.path, withIntermediateDirectories: true)
    // A file in a folder's place: nothing can be made in it.
    try Data().write(to: URL(filePath: folder.path + "/" + DiskFiles.part(object("/a", []).key)))
    let tier = tier()
    await tier.settle()
    tier.store(object("/a", [1]))
    await tier.settle()
    #expect(tier.usage.failures >= 1)
    #expect(!tier.store(object("/a", [1])))
    #expect(tier.usage.skipped == 1)
    #expect(tier.usage.waitingBytes == 0)
  }

  @Test func `a folder that is taken away under it is made anew`() async throws {
    let events = Mutex<[DiskTier.FolderEvent]>([])
    let tier = DiskTier(folder.path) { event in events.withLock { $0.append(event) } }
    let (one, two, three) = (object("/a", [1]), object("/b", [2]), object("/c", [3]))
    tier.store(one)
    await tier.settle()
    #expect(events.withLock { $0.isEmpty })
    try FileManager.default.removeItem(atPath: folder.path)
    tier.store(two)
    await tier.settle()
    #expect(await read(tier, two) == two)
    #expect(!tier.contains(one.key))
    #expect(tier.usage.failures == 0)
    #expect(events.withLock { $0 } == [.gone, .made])
    // A part of it.
    try FileManager.default.removeItem(
      atPath: folder.path + "/" + DiskFiles.part(three.key))
    tier.store(three)
    await tier.settle()
    #expect(events.withLock { $0 } == [.gone, .made, .made])
    let again = self.tier()
    await again.settle()
    for object in [two, three] { #expect(await read(again, object) == object) }
  }

  @Test func `a folder that can't be made anew is tried again, and told of`() async throws {
    let events = Mutex<[DiskTier.FolderEvent]>([])
    let tier = DiskTier(folder.path + "/x") { event in events.withLock { $0.append(event) } }
    await tier.settle()
    #expect(tier.usage.failures == 1)
    #expect(!tier.store(object("/a", [1])))
    var limits = DiskTier.Limits()
    limits.pause = .zero
    let impatient = DiskTier(folder.path + "/x", limits: limits) { event in
      events.withLock { $0.append(event) }
    }
    await impatient.settle()
    impatient.store(object("/a", [1]))
    await impatient.settle()
    #expect(events.withLock { $0 } == [.gone, .failed(ENOENT)])
    try FileManager.default.createDirectory(
      atPath: folder.path, withIntermediateDirectories: true)
    impatient.store(object("/a", [1]))
    await impatient.settle()
    #expect(impatient.contains(object("/a", []).key))
  }

  @Test func `small objects count as what they take on the disk`() async {
    let first = tier { $0.bytes = 40_960 }
    for number in 0..<20 { first.store(object("/\(number)", [1])) }
    await first.settle()
    #expect(first.usage.count == 10)
    #expect(first.usage.bytes == 40_960)
    first.store(object("/large", Array(repeating: 0, count: 8_192)))
    await first.settle()
    #expect(first.usage.count == 8)
    let second = tier { $0.bytes = 20_480 }
    await second.settle()
    #expect(second.usage.bytes <= 20_480)
    #expect(folder.files.count == second.usage.count)
  }

  @Test func `a long journal is written anew`() async {
    let tier = tier { $0.journalRecords = 100 }
    let one = object("/a", [1])
    for _ in 0..<150 { tier.store(one) }
    await tier.settle()
    var journal = DiskJournal(folder.path + "/journal")
    var last: JournalRecord?
    #expect(journal.load { last = $0 } == 0)
    #expect(journal.records == 50)
    #expect(last == .stored(one.key, DiskEntry(bytes: one.fileBytes, name: "/a", tags: [])))
  }

  @Test func `sums are those of RFC 3720`() {
    let zeros = [UInt8](repeating: 0, count: 32)
    let rising = (0..<32).map { UInt8($0) }
    let digits = Array("123456789".utf8)
    let sums = [zeros, rising, digits].map { Checksum.of($0.span) }
    #expect(sums == [0x8a91_36aa, 0x46dd_794e, 0xe306_9283])
  }

  @Test(.enabled(if: wl_has_crc32c())) func `sums are the same by the processor's instruction`() {
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7 ^ $0) }
    // Around what three sums at once take, and at every start of a word.
    for count in [0, 1, 7, 8, 9, 24_575, 24_576, 24_577, 49_151, 49_160, 99_980] {
      for start in 0..<8 {
        let part = bytes.span.extracting(start..<start + count)
        #expect(Checksum.byInstruction(part) == Checksum.byTables(part), "\(count) from \(start)")
      }
    }
  }
}
