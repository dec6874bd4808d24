import Foundation
import Store
import Testing

@Suite struct `Stream numbers, in every store` {
  let folder: Folder
  let name = StreamNumbers.Name(wedding: "w1", camera: "main")

  init() throws { folder = try Folder() }

  @Test(arguments: Kind.allCases)
  func `a new stream starts at zero with a block reserved`(kind: Kind) async throws {
    let store = try kind.numbers(folder)
    #expect(try await store.numbers(name) == nil)
    let run = try await store.begin(name, now: 5)
    #expect(run.next == .init(sequence: 0, discontinuity: 0))
    #expect(run.limits == .init(sequence: 128, discontinuity: 32))
    #expect(run.epoch == 5)
    #expect(run.lastPTS == nil)
    #expect(run.updated == 5)
  }

  @Test(arguments: Kind.allCases)
  func `a run that ended in order skips nothing`(kind: Kind) async throws {
    let store = try kind.numbers(folder)
    var run = try await store.begin(name, now: 1)
    run.next = .init(sequence: 17, discontinuity: 3)
    run.lastPTS = -90_000
    try await store.end(run, now: 2)
    let again = try await store.begin(name, now: 3)
    #expect(again.next == .init(sequence: 17, discontinuity: 3))
    #expect(again.limits == .init(sequence: 17 + 128, discontinuity: 3 + 32))
    #expect(again.lastPTS == -90_000)
    #expect(again.epoch > run.epoch)
  }

  @Test(arguments: Kind.allCases)
  func `a run that never ended is followed from its limits`(kind: Kind) async throws {
    let store = try kind.numbers(folder)
    var run = try await store.begin(name, now: 1)
    run.next = .init(sequence: 100, discontinuity: 1)
    run.limits = try await store.extend(run, now: 2)
    #expect(run.limits == .init(sequence: 228, discontinuity: 33))
    let again = try await store.begin(name, now: 3)
    #expect(again.next == run.limits)
  }

  @Test(arguments: Kind.allCases)
  func `limits never go back`(kind: Kind) async throws {
    let store = try kind.numbers(folder)
    var run = try await store.begin(name, now: 1)
    run.next.sequence = 200
    let late = run
    run.limits = try await store.extend(run, now: 2)
    run.next.sequence = 250
    run.limits = try await store.extend(run, now: 3)
    var stale = late
    stale.limits = run.limits
    #expect(try await store.extend(stale, now: 4) == run.limits)
    #expect(try await store.begin(name, now: 5).next == run.limits)
  }

  @Test(arguments: Kind.allCases)
  func `an earlier run is fenced off`(kind: Kind) async throws {
    let store = try kind.numbers(folder)
    let old = try await store.begin(name, now: 1)
    let new = try await store.begin(name, now: 2)
    await #expect(throws: StoreError.fenced(name)) { try await store.extend(old, now: 3) }
    await #expect(throws: StoreError.fenced(name)) { try await store.end(old, now: 3) }
    #expect(try await store.numbers(name)?.next == new.limits)
    try await store.end(new, now: 4)
  }

  @Test(arguments: Kind.allCases)
  func `a run whose record is gone is recorded anew, in its own numbers`(kind: Kind) async throws {
    let store = try kind.numbers(folder)
    var run = try await store.begin(name, now: 1)
    #expect(try await store.forget(before: 9, keeping: []) == 1)
    run.next = .init(sequence: 100, discontinuity: 1)
    run.limits = try await store.extend(run, now: 10)
    #expect(run.limits == .init(sequence: 228, discontinuity: 33))
    #expect(try await store.numbers(name)?.next == run.limits)
    #expect(try await store.forget(before: 11, keeping: []) == 1)
    run.next.sequence = 150
    try await store.end(run, now: 12)
    #expect(try await store.begin(name, now: 13).next == run.next)
  }

  @Test(arguments: Kind.allCases)
  func `a run whose record is gone does not push out one that has begun since`(kind: Kind)
    async throws
  {
    let store = try kind.numbers(folder)
    let old = try await store.begin(name, now: 1)
    #expect(try await store.forget(before: 9, keeping: []) == 1)
    let new = try await store.begin(name, now: 10)
    #expect(new.epoch > old.epoch)
    await #expect(throws: StoreError.fenced(name)) { try await store.extend(old, now: 11) }
    await #expect(throws: StoreError.fenced(name)) { try await store.end(old, now: 11) }
    #expect(try await store.numbers(name)?.epoch == new.epoch)
  }

  @Test(arguments: Kind.allCases)
  func `those that were written of late are known, the last ones first`(kind: Kind) async throws {
    let store = try kind.numbers(folder)
    #expect(try await store.recent(since: 0, atMost: 9) == [])
    let names = ["1", "2", "3"].map { StreamNumbers.Name(wedding: "w1", camera: $0) }
    let first = try await store.begin(names[0], now: 10)
    _ = try await store.begin(names[1], now: 20)
    _ = try await store.begin(names[2], now: 30)
    #expect(try await store.recent(since: 20, atMost: 9) == [names[2], names[1]])
    _ = try await store.extend(first, now: 40)
    #expect(try await store.recent(since: 20, atMost: 2) == [names[0], names[2]])
  }

  @Test(arguments: Kind.allCases)
  func `one that is over is not among them until it goes on`(kind: Kind) async throws {
    let store = try kind.numbers(folder)
    var run = try await store.begin(name, now: 10)
    run.isOver = true
    run.limits = try await store.extend(run, now: 20)
    #expect(try await store.recent(since: 0, atMost: 9) == [])
    run.isOver = false
    run.limits = try await store.extend(run, now: 30)
    #expect(try await store.recent(since: 0, atMost: 9) == [name])
    try await store.end(run, now: 40)
    #expect(try await store.recent(since: 0, atMost: 9) == [name])
    run.isOver = true
    try await store.end(run, now: 50)
    #expect(try await store.recent(since: 0, atMost: 9) == [])
    _ = try await store.begin(name, now: 60)
    #expect(try await store.recent(since: 0, atMost: 9) == [name])
  }

  @Test(arguments: Kind.allCases)
  func `when one went on the air is known until it is over`(kind: Kind) async throws {
    let store = try kind.numbers(folder)
    var run = try await store.begin(name, now: 10)
    #expect(run.began == nil)
    run.began = 12
    run.limits = try await store.extend(run, now: 20)
    #expect(try await store.numbers(name)?.began == 12)
    // Its process dies, and the next one ends in order.
    run = try await store.begin(name, now: 30)
    #expect(run.began == 12)
    try await store.end(run, now: 40)
    run = try await store.begin(name, now: 50)
    #expect(run.began == 12)
    run.isOver = true
    try await store.end(run, now: 60)
    #expect(try await store.begin(name, now: 70).began == nil)
  }

  @Test(arguments: Kind.allCases)
  func `streams are told apart, and old ones forgotten`(kind: Kind) async throws {
    let store = try kind.numbers(folder)
    let other = StreamNumbers.Name(wedding: "w1", camera: "2")
    var run = try await store.begin(name, now: 10)
    run.next.sequence = 9
    try await store.end(run, now: 10)
    _ = try await store.begin(other, now: 20)
    #expect(try await store.forget(before: 20, keeping: [other]) == 1)
    #expect(try await store.numbers(name) == nil)
    #expect(try await store.numbers(other)?.epoch == 20)
  }

  @Test(arguments: Kind.allCases)
  func `many at once never share an epoch or a number`(kind: Kind) async throws {
    let store = try kind.numbers(folder)
    let name = name
    let runs = try await withThrowingTaskGroup(of: StreamNumbers.self) { group in
      for _ in 0..<20 { group.addTask { try await store.begin(name, now: 1) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(Set(runs.map(\.epoch)).count == 20)
    #expect(Set(runs.map(\.next.sequence)).count == 20)
  }
}

@Suite struct `Stream numbers on disk` {
  @Test func `what a killed process leaves behind goes on after all it may have used`() async throws
  {
    let folder = try Folder()
    let name = StreamNumbers.Name(wedding: "w", camera: "main")
    let file = try RecordFile(path: folder.file("a.sqlite"))
    let store = SQLiteStreamNumbers(file)
    var run = try await store.begin(name, now: 1)
    run.next.sequence = 70
    run.limits = try await store.extend(run, now: 2)
    // The files as they stand while the process lives: what kill -9 leaves.
    for suffix in ["", "-wal"] {
      try FileManager.default.copyItem(
        atPath: folder.file("a.sqlite\(suffix)"), toPath: folder.file("b.sqlite\(suffix)"))
    }
    let after = SQLiteStreamNumbers(try RecordFile(path: folder.file("b.sqlite")))
    let next = try await after.begin(name, now: 3)
    #expect(next.next == run.limits)
    #expect(next.next.sequence == 198)
    #expect(next.epoch > run.epoch)
  }

  @Test func `a closed file holds everything, and is its owner's alone`() async throws {
    let folder = try Folder()
    let file = try RecordFile(path: folder.file("a.sqlite"))
    let name = StreamNumbers.Name(wedding: "w", camera: "main")
    _ = try await SQLiteStreamNumbers(file).begin(name, now: 1)
    for suffix in ["", "-wal"] {
      let attributes = try FileManager.default.attributesOfItem(
        atPath: folder.file("a.sqlite\(suffix)"))
      #expect(attributes[.posixPermissions] as? Int == 0o600)
    }
    try await file.close()
    try FileManager.default.copyItem(
      atPath: folder.file("a.sqlite"), toPath: folder.file("b.sqlite"))
    let copy = SQLiteStreamNumbers(try RecordFile(path: folder.file("b.sqlite")))
    #expect(try await copy.numbers(name)?.epoch == 1)
  }

  @Test func `a reopened file has its rows, and migrations run once`() async throws {
    let folder = try Folder()
    let name = StreamNumbers.Name(wedding: "w", camera: "main")
    for epoch in 1...3 {
      let store = SQLiteStreamNumbers(try RecordFile(path: folder.file("a.sqlite")))
      #expect(try await store.begin(name, now: 1).epoch == Int64(epoch))
    }
  }

  @Test func `when a file was written last is known to who opens it next`() async throws {
    let folder = try Folder()
    let path = folder.file("a.sqlite")
    let first = try RecordFile(path: path)
    #expect(first.lastWritten == nil)
    _ = try await SQLiteStreamNumbers(first).begin(
      StreamNumbers.Name(wedding: "w", camera: "main"), now: 1)
    // As long ago as that of a process that was killed then.
    for suffix in ["", "-wal"] {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: suffix.isEmpty ? 7_000 : 8_000)],
        ofItemAtPath: path + suffix)
    }
    #expect(try RecordFile(path: path).lastWritten == 8_000_000)
    withExtendedLifetime(first) {}
  }

  @Test func `a file that is no database is named and not overwritten`() throws {
    let folder = try Folder()
    let text = Data(String(repeating: "not a database ", count: 100).utf8)
    try text.write(to: URL(fileURLWithPath: folder.file("a.sqlite")))
    #expect {
      _ = try RecordFile(path: folder.file("a.sqlite"))
    } throws: { error in
      guard case .damaged(let words)? = error as? StoreError else { return false }
      return words.contains("a.sqlite")
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("a.sqlite"))) == text)
  }

  @Test func `a folder that is not there is a clear error`() {
    #expect {
      _ = try RecordFile(path: "/nonexistent/a.sqlite")
    } throws: { error in
      "\(error)".contains("/nonexistent/a.sqlite")
    }
  }
}
