import EventLoop
import Testing

@testable import Edge

@Suite struct `A stream that no node has` {
  private let start = MonotonicTime.now

  @Test func `is waited for, told to be over, and kept for as long again`() {
    var absence = StreamAbsence(LiveConfiguration())
    #expect(!absence.isOverdue(at: start + .seconds(3_600)))
    let isFirst = absence.missed(at: start)
    let isAgain = absence.missed(at: start + .seconds(30))
    #expect(isFirst && !isAgain)
    #expect(!absence.isOverdue(at: start + .seconds(59)))
    #expect(absence.isOverdue(at: start + .seconds(60)))
    absence.end(at: start + .seconds(60))
    #expect(absence.isEnded)
    #expect(!absence.isOverdue(at: start + .seconds(119)))
    #expect(absence.isOverdue(at: start + .seconds(120)))
    absence.heard()
    #expect(!absence.isEnded)
    #expect(!absence.isOverdue(at: start + .seconds(120)))
    let isNew = absence.missed(at: start + .seconds(120))
    #expect(isNew)
  }

  @Test func `is asked for less and less often, until it is heard of`() {
    var absence = StreamAbsence(LiveConfiguration())
    var pauses = (0..<7).map { _ in absence.nextPause() }
    #expect(pauses == [100, 200, 400, 800, 1_600, 2_000, 2_000].map { .milliseconds($0) })
    absence.heard()
    pauses = [absence.nextPause()]
    #expect(pauses == [.milliseconds(100)])
  }
}
