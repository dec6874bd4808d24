import EventLoop
import Testing

@testable import Viewers

@Suite struct `An average rate` {
  private static let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

  private var rate = AverageRate(at: start, step: .seconds(1))

  private mutating func note(_ bytes: UInt64, after seconds: Double) {
    rate.note(bytes, at: Self.start + .milliseconds(Int64(seconds * 1_000)))
  }

  @Test(arguments: [2, 3]) mutating func `hardly moves with segments`(length: UInt64) {
    for second in 1...120 as ClosedRange<UInt64> {
      // A megabyte a second, of which all comes with its segment.
      note(second / length * length * 1_000_000, after: Double(second))
      guard second >= 20 else { continue }
      #expect((6_800_000...9_200_000).contains(rate.bitsPerSecond), "\(second): \(rate)")
    }
  }

  @Test mutating func `is known from the first step on, and stays for a step`() {
    note(500, after: 0.999)
    #expect(rate.bitsPerSecond == 0)
    note(500, after: 1)
    #expect(rate.bitsPerSecond == 4_000)
    note(900, after: 1.999)
    #expect(rate.bitsPerSecond == 4_000)
    note(1_000, after: 2)
    #expect(rate.bitsPerSecond == 4_000)
  }

  @Test mutating func `forgets what is a whole span ago, and averages a pause`() {
    note(1_000, after: 1)
    note(1_000, after: 20.9)
    #expect(rate.bitsPerSecond == 382)
    note(1_000, after: 22)
    #expect(rate.bitsPerSecond == 0)
    note(101_000, after: 122)
    #expect(rate.bitsPerSecond == 8_000)
  }
}
