import CLinux
import Foundation
import Glibc
import Synchronization
import Testing

@testable import Cache

private let hash = SipHash(k0: 3, k1: 4)

private func object(_ name: String, _ body: [UInt8], tags: [String] = []) -> DiskObject {
  DiskObject(
    key: hash.hash(Array(name.utf8).span), name: name, tags: tags, head: Array("head".utf8),
    body: body)
}

/// A folder that goes with the test.
private final class Folder: Sendable {
  let path = NSTemporaryDirectory() + "wedlive-cache-\(UUID().uuidString)"
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ object: DiskObject) -> String { DiskFiles(folder: path).path(object.key) }

  var files: [String] {
    (try? FileManager.default.subpathsOfDirectory(atPath: path))?.filter { $0.count > 30 } ?? []
  }
}

private func read(_ tier: DiskTier, _ object: DiskObject) async -> DiskObject? {
  await withCheckedContinuation { continuation in
    let isThere = tier.read(object.key, name: object.name) { continuation.resume(returning: $0) }
    if !isThere { continuation.resume(returning: nil) }
  }
}

@Suite struct `Disk tier` {
  private let folder = Folder()

  private func tier(_ change: (inout DiskTier.Limits) -> Void = { _ in }) -> DiskTier {
    var limits = DiskTier.Limits()
    change(&limits)
    return DiskTier(folder.path, limits: limits)
  }

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

  /// What may stand in a file's place: a link to a file that isn't ours, a link to nothing, a pipe, a
  /// folder, and a file that says to be enormous.
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
    let outside = Folder()
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
    let outside = Folder()
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
      $0.bytes = 5_000
      $0.count = 30
    }
    for number in 0..<200 {
      tier.store(object("/\(number)", Array(repeating: 1, count: number % 7 * 100)))
    }
    await tier.settle()
    #expect(tier.usage.bytes <= 5_000)
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

  @Test func `objects go by prefix and by tag, those that wait too`() async {
    let tier = tier()
    for number in 0..<40 {
      tier.store(object("/w\(number % 4)/\(number)", [1], tags: ["t\(number % 2)"]))
    }
    let count = await withCheckedContinuation { continuation in
      tier.purge(.named { $0.hasPrefix("/w1/") }) {
        continuation.resume(returning: $0)
      }
    }
    #expect(count == 10)
    tier.purge(.tagged(["t0"]))
    await tier.settle()
    #expect(tier.usage.count == 10)
    #expect(folder.files.count == 10)
    let again = self.tier()
    await again.settle()
    #expect(again.usage.count == 10)
  }

  @Test func `what is purged is found no more from then on, though its file goes later`() async {
    let tier = tier()
    tier.store(object("/a", [1], tags: ["t"]))
    await tier.settle()
    tier.purge(.tagged(["t"]))
    #expect(!tier.contains(object("/a", []).key))
    // What is stored behind it stays.
    tier.store(object("/a", [2], tags: ["t"]))
    await tier.settle()
    #expect(await read(tier, object("/a", [2], tags: ["t"]))?.body == [2])
    #expect(folder.files.count == 1)
  }

  @Test func `marks are there again after a restart, and when the journal was written anew`() async
  {
    let tier = tier { $0.journalRecords = 8 }
    let all = (0..<4).map { object("/\($0)", [UInt8($0)], tags: ["t\($0 % 2)"]) }
    for object in all { tier.store(object) }
    await tier.settle()
    let soft = StaleMark(since: 100)
    let doubted = StaleMark(since: 50, isDoubted: true)
    tier.purge(.all, mark: doubted)
    // What is doubted isn't less so for being stale.
    tier.purge(.tagged(["t0"]), mark: soft)
    tier.store(all[1])
    tier.purge(.named { $0 == "/1" }, mark: soft)
    tier.store(all[3])
    await tier.settle()
    let marks: [StaleMark?] = [doubted, soft, doubted, nil]
    for (object, mark) in zip(all, marks) {
      #expect(await read(tier, object)?.mark == mark, "\(object.name)")
    }
    for settings in [100, 8] {
      let again = self.tier { $0.journalRecords = settings }
      await again.settle()
      for (object, mark) in zip(all, marks) {
        #expect(await read(again, object)?.mark == mark, "\(object.name), again")
      }
      // Enough to have it written anew.
      for _ in 0..<20 { again.store(object("/x", [1])) }
      await again.settle()
    }
  }

  @Test(arguments: [true, false], [true, false])
  func `what was purged and told to be kept is so after a kill`(isSoft: Bool, isAll: Bool) async {
    let tier = tier { $0.journalRecords = 8 }
    let all = (0..<20).map { object("/\($0)", [UInt8($0)], tags: ["t"]) }
    for object in all { tier.store(object) }
    let mark = isSoft ? StaleMark(since: 100) : nil
    tier.purge(isAll ? .all : .tagged(["t"]), mark: mark)
    #expect(await tier.isKept(within: .seconds(60)))
    // What the first one has yet to do is never done.
    let again = self.tier()
    await again.settle()
    for object in all {
      let found = await read(again, object)
      #expect(isSoft ? found?.mark == mark : found == nil, "\(object.name)")
    }
  }

  @Test func `a disk that takes its time is not waited for, and asked again`() async {
    let tier = tier()
    tier.store(object("/a", [1], tags: ["t"]))
    await tier.settle()
    tier.writer.suspend()
    tier.purge(.tagged(["t"]))
    #expect(await tier.isKept(within: .milliseconds(1)) == false)
    tier.writer.resume()
    #expect(await tier.isKept(within: .seconds(60)))
  }

  @Test(arguments: [true, false])
  func `what a broken journal can't say of a purge is done to the files`(isSoft: Bool) async throws
  {
    let tier = tier()
    let one = object("/a", [1], tags: ["t"])
    tier.store(one)
    tier.note(position: "1-2")
    await tier.settle()
    let path = folder.path + "/journal"
    let before = try Data(contentsOf: URL(filePath: path))
    // A folder that isn't empty: nothing can be written in its place.
    tier.journal.withLock { $0.close() }
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(
      atPath: path + "/x", withIntermediateDirectories: true)
    tier.purge(.tagged(["t"]), mark: isSoft ? StaleMark(since: 100) : nil)
    await tier.settle()
    #expect(await tier.isKept(within: .seconds(60)) == false)
    try FileManager.default.removeItem(atPath: path)
    try before.write(to: URL(filePath: path))
    let again = self.tier()
    await again.settle()
    #expect(await read(again, one) == nil)
  }

  @Test func `a position is not kept behind a purge that could not be`() async throws {
    let tier = tier()
    let one = object("/a", [1], tags: ["t"])
    tier.store(one)
    tier.note(position: "1-2")
    await tier.settle()
    let path = folder.path + "/journal"
    tier.journal.withLock { $0.close() }
    try FileManager.default.removeItem(atPath: path)
    // Neither the journal nor the object's file can be changed: folders that aren't empty.
    let file = folder.file(one)
    try FileManager.default.removeItem(atPath: file)
    for place in [path, file] {
      try FileManager.default.createDirectory(
        atPath: place + "/x", withIntermediateDirectories: true)
    }
    tier.purge(.tagged(["t"]))
    tier.note(position: "3-4")
    await tier.settle()
    #expect(tier.position == nil)
  }

  @Test func `what is purged while another process has the folder is purged when it is this one's`()
    async
  {
    let first = tier()
    let one = object("/a", [1], tags: ["t"])
    first.store(one)
    first.store(object("/b", [2], tags: ["u"]))
    await first.settle()
    let second = DiskTier(folder.path, isOwn: false)
    second.purge(.tagged(["t"]))
    async let isKept = second.isKept(within: .seconds(60))
    await first.release()
    second.open()
    #expect(await isKept)
    await second.settle()
    #expect(!second.contains(one.key))
    #expect(second.contains(object("/b", []).key))
  }

  @Test func `more purges than can wait for a folder have all of it doubted`() async {
    let first = tier()
    let one = object("/a", [1], tags: ["t"])
    first.store(one)
    await first.settle()
    let second = DiskTier(folder.path, isOwn: false)
    for number in 0..<1_000 { second.purge(.tagged(["\(number)"])) }
    await first.release()
    second.open()
    await second.settle()
    await second.settle()
    #expect(await read(second, one)?.mark?.isDoubted == true)
  }

  @Test func `how far purges were heard of is kept beside it`() async {
    let tier = tier()
    #expect(tier.position == nil)
    tier.note(position: "1-2")
    tier.note(position: "3-4")
    await tier.settle()
    #expect(self.tier().position == "3-4")
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
