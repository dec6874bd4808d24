import Telemetry
import Testing

@Suite struct `A tally` {
  @Test func `is the sum of what was added, and never goes down`() {
    let tally = Tally()
    #expect(tally.value == 0)
    for amount in [1, 0, 41, -7, .min] { tally.add(amount) }
    #expect(tally.value == 42)
    tally.add(.max)
    #expect(tally.value == UInt64(Int.max) + 42)
  }

  @Test func `is read elsewhere while one adds to it, and only ever grows`() async {
    let tally = Tally()
    async let sum: Void = Self.add(10_000, to: tally)
    var last: UInt64 = 0
    while last < 30_000 {
      let value = tally.value
      #expect(value >= last)
      last = value
      await Task.yield()
    }
    await sum
    #expect(tally.value == 30_000)
  }

  @concurrent private static func add(_ times: Int, to tally: Tally) async {
    for _ in 0..<times { tally.add(3) }
  }
}
