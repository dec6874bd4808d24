import Foundation
import Logging
import Store
import Synchronization
import Telemetry
import Testing

@testable import CDN

@Suite(.timeLimit(.minutes(1))) struct `What has caches forget` {
  /// Edges that are told, or can't be.
  private final class Edges: Sendable {
    struct Away: Error {}
    private let state = Mutex((told: [CDNPurge](), isAway: false))

    var told: [CDNPurge] { state.withLock(\.told) }
    func set(isAway: Bool) { state.withLock { $0.isAway = isAway } }

    func tell(_ purges: [CDNPurge]) throws {
      try state.withLock { state in
        if state.isAway { throw Away() }
        state.told += purges
      }
    }
  }

  private let edges = Edges()
  private let registry = MetricRegistry()
  private let path = FileManager.default.temporaryDirectory.appendingPathComponent(
    "purger-\(UUID().uuidString).sqlite"
  ).path

  private func purger(limit: Int = 100, hasFile: Bool = true) throws -> Purger {
    let edges = edges
    return Purger(
      nil, edges: { try edges.tell($0) },
      outbox: hasFile ? SQLitePurges(try RecordFile(path: path)) : nil, limit: limit,
      metrics: registry, logger: Logger(label: "test"))
  }

  @Test func `what can't be told is kept, also over a restart, and told in its order`() async throws
  {
    edges.set(isAway: true)
    let first = try purger()
    try await first.purge(tags(["a", "b"]))
    try await first.purge(tags(["c"]))
    #expect(first.waitingHere == 3)
    #expect(edges.told.isEmpty)
    // As after a kill.
    let second = try purger()
    let task = Task { await second.run() }
    edges.set(isAway: false)
    try await wait { edges.told.count == 3 }
    try await second.purge(tags(["d"]))
    try await wait { edges.told == tags(["a", "b", "c", "d"]) }
    try await wait { second.waitingHere == 0 }
    task.cancel()
    await task.value
    let third = try purger()
    let idle = Task { await third.run() }
    // None of them was left in the file.
    try await wait { third.waitingHere == 0 }
    try await third.purge(tags(["e"]))
    try await wait { edges.told == tags(["a", "b", "c", "d", "e"]) }
    idle.cancel()
    await idle.value
  }

  @Test func `nobody overtakes what waits`() async throws {
    edges.set(isAway: true)
    let purger = try purger()
    try await purger.purge(tags(["a"]))
    edges.set(isAway: false)
    try await purger.purge(tags(["b"]))
    #expect(edges.told.isEmpty)
    let task = Task { await purger.run() }
    try await wait { edges.told == tags(["a", "b"]) }
    task.cancel()
    await task.value
  }

  @Test func `of many at once none is lost while edges come and go`() async throws {
    let purger = try purger(limit: 10_000)
    let task = Task { await purger.run() }
    let edges = edges
    let gate = Task {
      while !Task.isCancelled {
        edges.set(isAway: true)
        try? await Task.sleep(for: .milliseconds(3))
        edges.set(isAway: false)
        try? await Task.sleep(for: .milliseconds(3))
      }
    }
    let names = (0..<300).map { "w\($0)" }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for name in names { group.addTask { try await purger.purge(tags([name])) } }
      try await group.waitForAll()
    }
    gate.cancel()
    await gate.value
    edges.set(isAway: false)
    try await wait { Set(edges.told.map(\.wedding)) == Set(names) }
    try await wait { purger.waitingHere == 0 }
    task.cancel()
    await task.value
  }

  @Test func `what is wrong, or too much, is refused`() async throws {
    edges.set(isAway: true)
    let bounded = try purger(limit: 2)
    try await bounded.purge(tags(["a", "b"]))
    await #expect(throws: CDNError.self) { try await bounded.purge(tags(["c"])) }
    await #expect(throws: CDNError.self) {
      try await bounded.purge([CDNPurge(wedding: "w", .path("no slash"), reason: "test")])
    }
    let fileless = try purger(hasFile: false)
    await #expect(throws: CDNError.self) { try await fileless.purge(tags(["a"])) }
    edges.set(isAway: false)
    try await fileless.purge(tags(["a"]))
    #expect(edges.told == tags(["a"]))
  }
}
