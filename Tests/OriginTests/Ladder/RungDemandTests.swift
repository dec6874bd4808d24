import Viewers
import EventLoop
import Testing

@testable import Origin

@Suite struct `Rung demand` {
  private var now: UInt64 { MonotonicTime.now.nanoseconds / 1_000_000_000 }

  private func demand(idle: UInt64?) -> RungDemand {
    var configuration = LadderConfiguration()
    configuration.idleSeconds = idle
    return RungDemand(configuration)
  }

  @Test func `without a limit all are encoded`() {
    let demand = demand(idle: nil)
    #expect(demand.interest(0) == nil)
    #expect(demand.mask(of: [0, 2, 3], smallestStaysOn: false) { _ in true } == 0b1101)
  }

  @Test func `what is watched, recorded or not known yet is encoded`() {
    var demand = demand(idle: 30)
    let rungs = [0, 1, 2, 3]
    #expect(demand.mask(of: rungs, smallestStaysOn: false) { _ in true } == 0)
    #expect(demand.mask(of: rungs, smallestStaysOn: false) { $0 != 1 } == 0b0010)
    #expect(demand.mask(of: rungs, smallestStaysOn: true) { _ in true } == 0b1000)
    demand.interest(2)?.note(now: now)
    #expect(demand.mask(of: rungs, smallestStaysOn: false) { _ in true } == 0b0100)
    demand.isRecorded = { $0 == 0 }
    #expect(demand.mask(of: rungs, smallestStaysOn: false) { _ in true } == 0b0101)
  }

  @Test func `a viewer counts for so long and no longer`() {
    let interest = RenditionInterest()
    #expect(!interest.isFresh(within: 30, now: 10))
    interest.note(now: 100)
    #expect(interest.isFresh(within: 30, now: 130))
    #expect(!interest.isFresh(within: 30, now: 131))
  }
}
