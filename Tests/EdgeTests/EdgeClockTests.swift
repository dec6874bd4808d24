import Cache
import Foundation
import HTTPTypes
import Synchronization
import Testing

@testable import Edge

/// Two clocks that tests set.
private final class Clocks: Sendable {
  private let seconds = Mutex<(wall: Int64, steady: Int64)>((1_800_000_000, 500))

  /// Time goes by.
  func pass(_ count: Int64) {
    seconds.withLock {
      $0.wall += count
      $0.steady += count
    }
  }

  /// Somebody sets the wall's clock.
  func step(_ count: Int64) { seconds.withLock { $0.wall += count } }

  var clock: EdgeClock {
    EdgeClock { [self] in
      seconds.withLock { ($0.wall * 1_000_000_000, $0.steady * 1_000_000_000) }
    }
  }

  var wall: Int64 { seconds.withLock { $0.wall } }
}

@Suite struct `The clock of an edge's cache` {
  private let clocks = Clocks()
  private let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("edge-clock-\(UUID().uuidString)").path

  private func name(_ function: String = #function) -> String {
    String(function.filter { $0.isLetter })
  }

  @Test func `it goes on where the wall's is set back, and follows it forwards`() {
    let clock = clocks.clock
    let start = clock.now
    #expect(start == 1_800_000_000)
    clocks.pass(10)
    #expect(clock.now == start + 10)
    clocks.step(-3_600)
    #expect(clock.now == start + 10)
    #expect(clock.wall == start - 3_590)
    clocks.pass(10)
    #expect(clock.now == start + 20)
    clocks.step(3_600)
    #expect(clock.now == start + 20)
    clocks.step(100)
    #expect(clock.now == start + 120)
    clocks.step(-100)
    clocks.pass(1)
    #expect(clock.now == start + 121)
  }

  @Test func `the system's goes on`() {
    let now = EdgeClock.system.now
    #expect(abs(now - Int64(Date.now.timeIntervalSince1970)) <= 2)
    #expect(EdgeClock.system.now >= now)
  }

  @Test func `what is kept ages while the wall's clock is set back`() async throws {
    let edge = try EdgeNode { $0.clock = clocks.clock }
    let name = name()
    try await edge.set(name, "cc=max-age%3D60&size=100")
    _ = try await edge.get("/o/\(name)")
    #expect(try await edge.allHasLanded())
    #expect(try await edge.get("/o/\(name)").head.cacheWord == "HIT")
    clocks.step(-3_600)
    clocks.pass(61)
    let second = try await edge.get("/o/\(name)")
    #expect(second.head.cacheWord == "EXPIRED")
    #expect(second.body == ScriptedOrigin.body(name, 2, size: 100))
    #expect(try await edge.allHasLanded())
    // It is as new as any: dates are held against the wall's clock.
    let third = try await edge.get("/o/\(name)")
    #expect(third.head.cacheWord == "HIT")
    #expect(third.head.headerFields[.age] == "0")
  }

  @Test func `a response made after the clock was set back is new`() async throws {
    let edge = try EdgeNode { $0.clock = clocks.clock }
    let name = name()
    clocks.step(-3_600)
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "GMT")
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    let date = formatter.string(from: Date(timeIntervalSince1970: Double(clocks.wall)))
    let value = try #require(date.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
    try await edge.set(name, "cc=max-age%3D60&size=100&date=\(value)")
    _ = try await edge.get("/o/\(name)")
    #expect(try await edge.allHasLanded())
    let second = try await edge.get("/o/\(name)")
    #expect(second.head.cacheWord == "HIT")
    #expect(second.head.headerFields[.age] == "0")
  }

  @Test func `what is on disk from a time to come is confirmed before anybody gets it`()
    async throws
  {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let name = name()
    let first = try EdgeNode {
      $0.clock = clocks.clock
      $0.diskFolder = folder
    }
    try await first.set(name, "cc=max-age%3D600&size=100&etag=x")
    _ = try await first.get("/o/\(name)")
    #expect(try await first.eventually { first.proxy.store.diskUsage?.count == 1 })
    first.stop()
    clocks.step(-3_600)
    let second = try EdgeNode(port: first.port) {
      $0.clock = clocks.clock
      $0.diskFolder = folder
    }
    #expect(try await second.eventually { second.proxy.store.diskUsage?.count == 1 })
    #expect(try await second.get("/o/\(name)").head.cacheWord == "REVALIDATED")
    #expect(try await second.count(name) == 2)
    #expect(try await second.get("/o/\(name)").head.cacheWord == "HIT")
  }
}
