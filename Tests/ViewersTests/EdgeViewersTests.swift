import Media
import Testing

@testable import Viewers

@Suite struct `Viewers at edges` {
  private let viewers = EdgeViewers()

  @Test func `each edge's last number counts, for a while`() throws {
    let key = try #require(StreamKey(wedding: "w"))
    let other = try #require(StreamKey(wedding: "w", camera: "c2"))
    viewers.note(3, of: key, at: "edge-1", now: 100)
    viewers.note(4, of: key, at: "edge-2", now: 110)
    viewers.note(9, of: other, at: "edge-1", now: 110)
    #expect(viewers.count(of: key, now: 110) == 7)
    viewers.note(1, of: key, at: "edge-2", now: 120)
    #expect(viewers.count(of: key, now: 120) == 4)
    // The first one has said nothing for too long.
    #expect(viewers.count(of: key, now: 145) == 4)
    #expect(viewers.count(of: key, now: 146) == 1)
    #expect(viewers.count(of: key, now: 166) == 0)
    #expect(viewers.count(of: other, now: 110) == 9)
  }

  @Test func `what no edge would say changes nothing`() throws {
    let key = try #require(StreamKey(wedding: "w"))
    viewers.note(5, of: key, at: "", now: 1)
    viewers.note(5, of: key, at: String(repeating: "x", count: 65), now: 1)
    #expect(viewers.count(of: key, now: 1) == 0)
    viewers.note(-5, of: key, at: "a", now: 1)
    #expect(viewers.count(of: key, now: 1) == 0)
    viewers.note(.max, of: key, at: "a", now: 1)
    viewers.note(.max, of: key, at: "b", now: 1)
    #expect(viewers.count(of: key, now: 1) == 20_000_000)
  }

  @Test func `numbers are bounded, and those that are old make room`() throws {
    let key = try #require(StreamKey(wedding: "w"))
    for number in 0..<100_000 { viewers.note(1, of: key, at: "n\(number)", now: 1) }
    viewers.note(1, of: key, at: "late", now: 1)
    #expect(viewers.count(of: key, now: 1) == 100_000)
    viewers.note(1, of: key, at: "later", now: 100)
    #expect(viewers.count(of: key, now: 100) == 1)
  }
}
