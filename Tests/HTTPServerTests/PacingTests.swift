import EventLoop
import Testing

@testable import HTTPServer

@Suite struct `How fast a response is sent` {
  private let start = MonotonicTime.now

  private func at(_ milliseconds: Int) -> MonotonicTime { start + .milliseconds(milliseconds) }

  // MARK: A bucket

  @Test func `a bucket is full at first, and fills by the clock to its brim`() {
    var bucket = TokenBucket(bytesPerSecond: 1_000, capacity: 500, at: start)
    var tokens = bucket.refill(at: start)
    #expect(tokens == 500)
    bucket.spend(500)
    tokens = bucket.refill(at: at(100))
    #expect(tokens == 100)
    tokens = bucket.refill(at: at(50))
    #expect(tokens == 100)
    tokens = bucket.refill(at: at(10_000_000))
    #expect(tokens == 500)
  }

  @Test(arguments: [1, 3, 7, 999, 1_000, 64_000, 10_000_000_000])
  func `nothing is lost however often it is asked`(rate: Int) {
    var often = TokenBucket(bytesPerSecond: rate, capacity: .max / 2, initial: 0, at: start)
    for millisecond in 1...3_000 { _ = often.refill(at: at(millisecond)) }
    let tokens = often.refill(at: at(3_000))
    #expect(tokens <= 3 * rate)
    #expect(tokens >= 3 * rate - 1 - rate / 1_000)
  }

  @Test func `what it begins with beyond its capacity is there once`() {
    var bucket = TokenBucket(bytesPerSecond: 1_000, capacity: 100, initial: 5_000, at: start)
    var tokens = bucket.refill(at: at(1_000))
    #expect(tokens == 5_000)
    bucket.spend(4_950)
    tokens = bucket.refill(at: at(1_010))
    #expect(tokens == 60)
    tokens = bucket.refill(at: at(9_000))
    #expect(tokens == 100)
    bucket.spend(1_000)
    #expect(bucket.tokens == 0)
  }

  // MARK: A connection

  /// What a response is sent within a time, asked every 20 ms.
  private func sent(
    _ pace: inout ConnectionPace, _ streams: [Int32], from begin: Int, to end: Int
  ) -> [Int] {
    var sent = [Int](repeating: 0, count: streams.count)
    for time in stride(from: begin, to: end, by: 20) {
      for (index, stream) in streams.enumerated() {
        while true {
          let granted = pace.grant(stream, at: at(time))
          if granted == 0 { break }
          sent[index] += granted
        }
      }
    }
    return sent
  }

  @Test func `a response begins with what a connection has for its beginning, and goes on evenly`()
  {
    let rule = Pace(responseRate: 100_000, startBytes: 300_000)
    var pace = ConnectionPace(rule)
    pace.begin(1, rule, at: start)
    let first = sent(&pace, [1], from: 0, to: 20)[0]
    #expect((300_000...315_000).contains(first))
    let then = sent(&pace, [1], from: 20, to: 10_020)[0]
    #expect((980_000...1_010_000).contains(then))
    pace.end(1)
    // The next one has a rate of its own, and no beginning.
    pace.begin(3, rule, at: at(10_020))
    #expect(sent(&pace, [3], from: 10_020, to: 11_020)[0] <= 115_000)
    #expect(pace.startBytes < ConnectionPace.leastGrant)
  }

  @Test func `responses of a connection share what its viewer has`() {
    let rule = Pace(connectionRate: 200_000, connectionBurst: 50_000)
    var pace = ConnectionPace(rule)
    pace.begin(1, rule, at: start)
    pace.begin(3, rule, at: start)
    let both = sent(&pace, [1, 3], from: 0, to: 10_000).reduce(0, +)
    #expect((1_980_000...2_060_000).contains(both))
  }

  @Test func `the smaller of both bounds holds`() {
    let rule = Pace(connectionRate: 50_000, connectionBurst: 4_096, responseRate: 400_000)
    var pace = ConnectionPace(rule)
    pace.begin(1, rule, at: start)
    #expect((480_000...520_000).contains(sent(&pace, [1], from: 0, to: 10_000)[0]))
  }

  @Test func `what isn't paced isn't bounded`() {
    var pace = ConnectionPace(Pace(responseRate: 1))
    #expect(pace.grant(5, at: start) == .max)
    #expect(!Pace().isBound)
  }
}
