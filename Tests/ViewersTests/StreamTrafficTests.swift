import EventLoop
import Media
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Viewers

/// A clock that a test moves.
private final class Hands: Sendable {
  private let time = Mutex(MonotonicTime(nanoseconds: 1_000_000_000))

  var now: MonotonicTime { time.withLock { $0 } }
  func go(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
}

@Suite struct `Stream traffic` {
  private let registry = MetricRegistry()
  private let hands = Hands()

  private func makeTraffic(limit: Int = 10) -> StreamTraffic {
    StreamTraffic(limit: limit, metrics: registry, clock: { [hands] in hands.now })
  }

  /// Lines of `/metrics` with bytes, without the metric's name.
  private var lines: [String] {
    let name = "wedlive_stream_sent_bytes_total"
    return String(decoding: registry.text(), as: UTF8.self).split(separator: "\n")
      .filter { $0.hasPrefix(name + "{") }.map { String($0.dropFirst(name.count)) }
  }

  private var uncounted: String? {
    String(decoding: registry.text(), as: UTF8.self).split(separator: "\n")
      .first { $0.hasPrefix("wedlive_streams_uncounted ") }.map { String($0) }
  }

  private static let viewers = SentBytes.Line(.viewers, "720p")

  /// Sends `bytes` of a stream on one loop, and lets go of it.
  private func send(_ bytes: Int, of key: StreamKey, _ traffic: StreamTraffic, at place: Int = 1) {
    traffic.share(of: key, at: place).tally(Self.viewers).add(bytes)
  }

  @Test func `tells lines apart, in order, and leaves out what nobody was sent`() {
    let traffic = makeTraffic()
    let share = traffic.share(of: .named("w"), at: traffic.place())
    share.tally(SentBytes.Line(.viewers, "source")).add(5)
    share.tally(Self.viewers).add(7)
    share.tally(SentBytes.Line(.viewers)).add(1)
    share.tally(SentBytes.Line(.players, "source")).add(3)
    _ = share.tally(SentBytes.Line(.nodes, "source"))
    #expect(
      traffic.sent(of: .named("w")) == [
        SentBytes(SentBytes.Line(.players, "source"), bytes: 3),
        SentBytes(SentBytes.Line(.viewers), bytes: 1), SentBytes(Self.viewers, bytes: 7),
        SentBytes(SentBytes.Line(.viewers, "source"), bytes: 5),
      ])
    #expect(traffic.sent(of: .named("v")).isEmpty)
    #expect(lines.contains(#"{wedding="w",camera="main",rendition="720p",to="viewers"} 7"#))
    #expect(lines.count == 4)
  }

  @Test func `adds up what loops have sent, each by a count of its own`() {
    let traffic = makeTraffic()
    let places = [traffic.place(), traffic.place()]
    let shares = places.map { traffic.share(of: .named("w"), at: $0) }
    #expect(shares[0].tally(Self.viewers) !== shares[1].tally(Self.viewers))
    #expect(shares[0].tally(Self.viewers) === shares[0].tally(Self.viewers))
    shares[0].tally(Self.viewers).add(2)
    shares[1].tally(Self.viewers).add(40)
    #expect(traffic.sent(of: .named("w")).map(\.bytes) == [42])
  }

  @Test func `is there for as long as one loop has it`() {
    let traffic = makeTraffic()
    var shares = [1, 2].map { traffic.share(of: .named("w"), at: $0) }
    shares.removeLast()
    #expect(traffic.streams == [.named("w")])
    shares.removeLast()
    #expect(traffic.streams.isEmpty)
  }

  @Test func `what was sent of two streams adds up line by line`() {
    let one = [
      SentBytes(.init(.players), bytes: 1, bitsPerSecond: 2), SentBytes(Self.viewers, bytes: 3),
    ]
    let other = [
      SentBytes(.init(.nodes), bytes: 4), SentBytes(.init(.players), bytes: 5, bitsPerSecond: 6),
    ]
    #expect(
      one.adding(other) == [
        SentBytes(.init(.nodes), bytes: 4), SentBytes(.init(.players), bytes: 6, bitsPerSecond: 8),
        SentBytes(Self.viewers, bytes: 3),
      ])
    #expect(one.adding([]) == one)
  }

  // MARK: The bound

  @Test func `more than there is room for are counted together, by receivers alone`() {
    let traffic = makeTraffic(limit: 1)
    let kept = traffic.share(of: .named("a"), at: 1)
    var others = ["b", "c"].map { traffic.share(of: .named($0), at: 1) }
    kept.tally(Self.viewers).add(1)
    others[0].tally(Self.viewers).add(10)
    others[1].tally(SentBytes.Line(.viewers, "source")).add(100)
    others[1].tally(SentBytes.Line(.nodes)).add(1_000)
    #expect(traffic.streams == [.named("a")])
    #expect(traffic.sent(of: .named("b")).isEmpty)
    #expect(
      lines == [
        #"{wedding="",camera="",rendition="",to="nodes"} 1000"#,
        #"{wedding="",camera="",rendition="",to="viewers"} 110"#,
        #"{wedding="a",camera="main",rendition="720p",to="viewers"} 1"#,
      ])
    #expect(uncounted == "wedlive_streams_uncounted 2")
    others.removeAll()
    #expect(uncounted == "wedlive_streams_uncounted 0")
    // What they were sent isn't taken back.
    #expect(lines.count == 3)
  }

  @Test func `where none is to be counted by itself, all are counted together`() {
    let traffic = makeTraffic(limit: 0)
    send(5, of: .named("a"), traffic)
    send(6, of: .named("b"), traffic, at: 2)
    #expect(lines == [#"{wedding="",camera="",rendition="",to="viewers"} 11"#])
    #expect(traffic.streams.isEmpty)
  }

  @Test func `the one that has been away for longest goes for a new one`() {
    let traffic = makeTraffic(limit: 3)
    var shares: [String: StreamTraffic.Share] = [:]
    for (index, name) in ["stays", "late", "early"].enumerated() {
      let share = traffic.share(of: .named(name), at: 1)
      share.tally(Self.viewers).add(index + 1)
      shares[name] = share
    }
    // Not in the order in which they came.
    shares["early"] = nil
    hands.go(.seconds(1))
    shares["late"] = nil
    shares["new"] = traffic.share(of: .named("new"), at: 1)
    shares["new"]?.tally(Self.viewers).add(4)
    #expect(traffic.sent(of: .named("early")).isEmpty)
    #expect(traffic.sent(of: .named("stays")).map(\.bytes) == [1])
    #expect(traffic.sent(of: .named("late")).map(\.bytes) == [2])
    #expect(traffic.sent(of: .named("new")).map(\.bytes) == [4])
    #expect(uncounted == "wedlive_streams_uncounted 0")
    // One that some loop has never goes.
    shares["newer"] = traffic.share(of: .named("newer"), at: 1)
    shares["newest"] = traffic.share(of: .named("newest"), at: 1)
    #expect(Set(traffic.streams) == [.named("stays"), .named("new"), .named("newer")])
    #expect(uncounted == "wedlive_streams_uncounted 1")
    shares.removeAll()
    #expect(traffic.streams.isEmpty)
  }

  // MARK: Coming back

  @Test func `a stream that comes back within the hour goes on`() {
    let traffic = makeTraffic()
    send(5, of: .named("w"), traffic)
    hands.go(.seconds(3_599))
    #expect(lines == [#"{wedding="w",camera="main",rendition="720p",to="viewers"} 5"#])
    send(6, of: .named("w"), traffic)
    send(7, of: .named("w"), traffic, at: 2)
    #expect(traffic.sent(of: .named("w")).map(\.bytes) == [18])
  }

  @Test func `a stream that was away for an hour begins anew`() {
    let traffic = makeTraffic()
    let stays = [traffic.share(of: .named("stays"), at: 1)]
    stays[0].tally(Self.viewers).add(1)
    send(5, of: .named("w"), traffic)
    hands.go(.seconds(3_600))
    #expect(lines == [#"{wedding="stays",camera="main",rendition="720p",to="viewers"} 1"#])
    send(6, of: .named("w"), traffic)
    #expect(traffic.sent(of: .named("w")).map(\.bytes) == [6])
    // Also where nobody has looked meanwhile.
    hands.go(.seconds(3_600))
    send(7, of: .named("w"), traffic)
    #expect(traffic.sent(of: .named("w")).map(\.bytes) == [7])
    withExtendedLifetime(stays) {}
  }

  // MARK: Rates

  @Test func `rates are an average, taken anew every two seconds, of what was sent in twenty`() {
    let traffic = makeTraffic()
    let share = traffic.share(of: .named("w"), at: 1)
    func rate() -> [UInt64] { traffic.sent(of: .named("w")).map(\.bitsPerSecond) }
    share.tally(Self.viewers).add(1_000)
    hands.go(.milliseconds(1_999))
    #expect(rate() == [0])
    hands.go(.milliseconds(1))
    #expect(rate() == [4_000])
    share.tally(Self.viewers).add(9_000)
    hands.go(.milliseconds(1_500))
    #expect(rate() == [4_000])
    hands.go(.milliseconds(1_500))
    #expect(rate() == [16_000])
    hands.go(.seconds(17))
    #expect(rate() == [3_600])
    hands.go(.seconds(3))
    #expect(rate() == [0])
    withExtendedLifetime(share) {}
  }

  // MARK: Of a table of streams

  private func snapshot(_ version: UInt64, _ renditions: [String]) -> StreamSnapshot {
    StreamSnapshot(
      key: .named("w"), version: version, isOver: false, masters: [],
      renditions: renditions.map {
        RenditionSnapshot(
          name: Array($0.utf8), playlist: .sample($0), nextSequence: 0, targetDuration: 3,
          segments: [])
      })
  }

  @Test func `a place of the table counts from when there is something until it goes`() throws {
    let traffic = makeTraffic()
    let table = StreamTable(traffic: traffic)
    func tallies() -> StreamTallies? { table.slot(Array("/hls/w".utf8).span)?.tallies }
    table.update(snapshot(1, []))
    #expect(tallies() == nil)
    #expect(traffic.streams.isEmpty)
    table.update(snapshot(2, ["source"]))
    let first = try #require(tallies())
    first.viewer(of: 0).add(1)
    first.viewer(of: nil).add(2)
    first.node(of: 0).add(3)
    first.node(of: nil).add(4)
    // A rendition that isn't there is none's.
    first.viewer(of: 7).add(5)
    table.update(snapshot(3, ["720p", "source"]))
    #expect(tallies() === first)
    first.viewer(of: 0).add(10)
    first.viewer(of: 1).add(20)
    first.node(of: 1).add(30)
    #expect(
      traffic.sent(of: .named("w")) == [
        SentBytes(SentBytes.Line(.nodes), bytes: 4),
        SentBytes(SentBytes.Line(.nodes, "source"), bytes: 33),
        SentBytes(SentBytes.Line(.viewers), bytes: 7),
        SentBytes(SentBytes.Line(.viewers, "720p"), bytes: 10),
        SentBytes(SentBytes.Line(.viewers, "source"), bytes: 21),
      ])
    #expect(traffic.streams == [.named("w")])
  }

  @Test func `a stream that leaves the table leaves its counts`() {
    let traffic = makeTraffic()
    let table = StreamTable(traffic: traffic)
    table.update(snapshot(1, ["source"]))
    #expect(traffic.streams == [.named("w")])
    table.remove(.named("w"), version: 1)
    #expect(traffic.streams.isEmpty)
  }
}
