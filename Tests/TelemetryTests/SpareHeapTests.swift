import Testing

@testable import Telemetry

@Suite struct `Spare heap` {
  private static let mebibyte = 1 << 20

  @Test(arguments: [
    (64, 0, false), (65, 0, true), (65, 130, false), (66, 130, true), (900, 1_900, false),
    (1_000, 1_900, true),
  ])
  func `it is given back from 64 MiB on, where it is more than half of what is used`(
    free: Int, used: Int, isMuch: Bool
  ) {
    #expect(SpareHeap.isMuch(free: free * Self.mebibyte, used: used * Self.mebibyte) == isMuch)
  }

  @Test(.enabled(if: SpareHeap.usedBytes > mebibyte, "a sanitizer's allocator keeps what it likes"))
  func `what a load has left behind goes back to the machine`() {
    // Smaller than what is mapped by itself, and each followed by one that stays.
    var load: [[UInt8]] = []
    var rest: [[UInt8]] = []
    for _ in 0..<4_096 {
      load.append([UInt8](repeating: 1, count: 100_000))
      rest.append([UInt8](repeating: 1, count: 1_000))
    }
    let loaded = ProcessMetrics.residentBytes()
    load = []
    #expect(SpareHeap.giveBack())
    #expect(ProcessMetrics.residentBytes() < loaded - 256 * Self.mebibyte)
    #expect(rest.count == 4_096)
  }
}
