import Dispatch
import Foundation
import GRDB
import Synchronization
import Testing

@testable import Store

@Suite struct `Record file` {
  private let name = StreamNumbers.Name(wedding: "w", camera: "main")
  private let folder: Folder
  private let file: RecordFile
  private let news = News()

  /// What a watcher was told.
  private final class News: Sendable {
    private let heard = Mutex<[StoreError?]>([])

    var all: [StoreError?] { heard.withLock { $0 } }
    func hear(_ failure: StoreError?) { heard.withLock { $0.append(failure) } }
  }

  init() throws {
    folder = try Folder()
    file = try RecordFile(path: folder.file("records.sqlite"))
    file.watch { [news] in news.hear($0) }
  }

  /// Lets the file grow no more, or (with nil) as it will.
  private func limit(pages: Int?) async throws {
    try await file.pool.write { database in
      _ = try Int.fetchOne(database, sql: "PRAGMA max_page_count = \(pages ?? 1 << 30)")
    }
  }

  private func fill(_ numbers: some Sequence<Int>) async throws {
    let store = SQLiteStreamNumbers(file)
    for number in numbers {
      _ = try await store.begin(.init(wedding: "w\(number)", camera: "main"), now: 1)
    }
  }

  @Test func `a file that is full says so once, and that it can be written again`() async throws {
    try await fill(0..<3)
    await file.checkWriting()
    #expect(news.all.isEmpty)
    try await limit(pages: 1)
    await #expect(throws: StoreError.self) { try await fill(3..<1_000) }
    await #expect(throws: StoreError.self) { try await fill(2_000..<3_000) }
    #expect(news.all.count == 1)
    guard case .full? = news.all.first else {
      Issue.record("\(news.all)")
      return
    }
    try await limit(pages: nil)
    try await fill(3..<9)
    #expect(news.all.count == 2)
    #expect(news.all.last == .some(nil))
  }

  @Test func `whether it can be written is seen without a stream`() async throws {
    try await file.pool.write { try $0.execute(sql: "PRAGMA query_only = ON") }
    await file.checkWriting()
    await file.checkWriting()
    #expect(news.all.count == 1)
    #expect(news.all.first != .some(nil))
    // Not in a transaction: query_only would have it rolled back.
    try await file.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA query_only = OFF") }
    await file.checkWriting()
    #expect(news.all.count == 2)
    #expect(news.all.last == .some(nil))
  }

  /// Keeps the only writer busy until it is told to let go.
  private func stall() -> Stall {
    let stall = Stall()
    file.pool.asyncWriteWithoutTransaction { _ in stall.wait() }
    return stall
  }

  /// Returns when so much has been heard, or a generous limit is over.
  private func untilNews(_ count: Int) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while news.all.count < count, ContinuousClock.now < end {
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  private final class Stall: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func wait() { semaphore.wait() }
    func end() { semaphore.signal() }
  }

  @Test func `a disk that does not answer has failed, and says when it does again`() async throws {
    let stall = stall()
    await file.checkWriting(within: .milliseconds(20))
    await file.checkWriting(within: .milliseconds(20))
    #expect(news.all == [.stalled(.milliseconds(20))])
    stall.end()
    try await untilNews(2)
    #expect(news.all.last == .some(nil))
    await file.checkWriting()
    #expect(news.all.count == 2)
  }

  @Test func `a watcher that is slow hears the last news last`() async throws {
    let (hearing, heard) = AsyncStream.makeStream(of: Void.self)
    let stall = Stall()
    file.watch { [news] failure in
      if failure != nil {
        heard.yield()
        stall.wait()
      }
      news.hear(failure)
    }
    let failing = Thread { [file] in
      file.failedToWrite(DatabaseError(resultCode: .SQLITE_FULL))
    }
    failing.start()
    for await _ in hearing { break }
    // It works again while the watcher is still busy with the failure.
    file.wrote()
    stall.end()
    try await untilNews(2)
    #expect(news.all.count == 2)
    #expect(news.all.last == .some(nil))
  }

  @Test func `a file that is deleted or replaced is a fault, though writes to it succeed`()
    async throws
  {
    let path = folder.file("records.sqlite")
    try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
    await file.checkWriting()
    #expect(news.all.count == 1)
    guard case .failed(let words)?? = news.all.last else {
      Issue.record("\(news.all)")
      return
    }
    #expect(words.hasPrefix("\(path) is gone"))
    try await fill(0..<3)
    #expect(news.all.count == 1)
    #expect(FileManager.default.createFile(atPath: path, contents: nil))
    await file.checkWriting()
    #expect(news.all.count == 1)
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
    await file.checkWriting()
    #expect(news.all.count == 2)
    #expect(news.all.last == .some(nil))
  }

  @Test func `a file whose whole folder is deleted is a fault`() async throws {
    try FileManager.default.removeItem(atPath: folder.path)
    await file.checkWriting()
    #expect(news.all.count == 1)
    #expect(news.all.first != .some(nil))
  }

  @Test func `a disk that does not answer holds up no close`() async throws {
    let stall = stall()
    await #expect(throws: StoreError.stalled(.milliseconds(20))) {
      try await file.close(within: .milliseconds(20))
    }
    stall.end()
  }

  @Test func `what the tables refuse is no fault of the disk`() async throws {
    let numbers = SQLiteStreamNumbers(file)
    let old = try await numbers.begin(name, now: 1)
    _ = try await numbers.begin(name, now: 2)
    await #expect(throws: StoreError.fenced(name)) { try await numbers.end(old, now: 3) }
    let keys = SQLiteStreamKeys(file)
    var key = StreamKeyRecord(id: "a", stream: name, sealed: [1], created: 1, neededUntil: 2)
    try await keys.add(key)
    key.sealed = [2]
    await #expect(throws: StoreError.self) { try await keys.add(key) }
    #expect(news.all.isEmpty)
  }
}
