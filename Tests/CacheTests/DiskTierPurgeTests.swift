import Foundation
import Synchronization
import Testing

@testable import Cache

@Suite struct `Purges of a disk tier`: OnDisk {
  let folder = TestFolder()

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
    tier.journal.withLock { $0.close() }
    try block(path)
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
    tier.journal.withLock { $0.close() }
    // Neither of them can be changed.
    try block(folder.path + "/journal", folder.file(one))
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

  @Test func `nothing that was purged before is found while the folder is read`() async {
    let first = tier()
    let one = object("/a", [1], tags: ["t"])
    first.store(one)
    await first.release()
    let second = DiskTier(folder.path, isOwn: false)
    second.purge(.tagged(["t"]))
    let isOver = Calls()
    let found = Task.detached {
      while isOver.count == 0 {
        if second.contains(one.key) { return true }
        // There may be no other thread for the test to go on with.
        await Task.yield()
      }
      return second.contains(one.key)
    }
    second.open()
    await second.settle()
    await second.settle()
    isOver.note()
    #expect(await !found.value)
  }

  @Test func `who purges while the folder is left is told whether that is kept`() async {
    let first = tier()
    let one = object("/a", [1], tags: ["t"])
    first.store(one)
    await first.settle()
    first.writer.suspend()
    let release = Task { await first.release() }
    while first.contains(one.key) { await Task.yield() }
    first.purge(.tagged(["t"]))
    let (told, tell) = AsyncStream.makeStream(of: Bool.self)
    first.whenKept {
      tell.yield($0)
      tell.finish()
    }
    first.writer.resume()
    await release.value
    await first.settle()
    // Nobody else can tell any more.
    tell.finish()
    let second = tier()
    await second.settle()
    var isKept: Bool?
    for await each in told { isKept = each }
    #expect(isKept != nil)
    #expect(isKept != true || !second.contains(one.key))
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
}
