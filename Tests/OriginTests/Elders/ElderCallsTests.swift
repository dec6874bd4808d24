import Access
import ControlAPI
import HTTPTypes
import Logging
import Store
import Telemetry
import TestSupport
import Testing

@testable import Origin

@Suite struct `Calls that the processes before this one share in` {
  /// Processes that answer every order so, the last one first.
  private func hands(_ answers: ElderAnswer...) -> ElderHands {
    ElderHands(
      tally: ElderTally(MetricRegistry()), statuses: { [] },
      processes: {
        answers.enumerated().map { index, answer in
          ElderHands.Process(
            id: Int32(index), ask: { _ in answer }, fetch: { _, _ in nil }, isGone: { false })
        }
      })
  }

  @Test func `who is dropped is counted everywhere, and one that says nothing is said to`() async {
    let drop = "/control/drop/publisher?name=w"
    let all = StreamControl(loops: [], elders: hands(ElderAnswer(count: 2), ElderAnswer(count: 1)))
    #expect(await all.perform(drop) == (.ok, "3\n"))
    let some = StreamControl(loops: [], elders: hands(ElderAnswer(count: 2), .missing))
    let (status, text) = await some.perform(drop)
    #expect(status == .serviceUnavailable)
    #expect(text.hasPrefix("2\n"))
    #expect(text.contains("doesn't answer; try again"))
  }

  @Test func `keys are not said to be other ones where a process says nothing`() async throws {
    let keys = StreamKeys(
      store: MemoryStreamKeys(), secret: [1], longestUse: 60_000,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let all = OriginKeys(
      keys: keys, loops: [], elders: hands(ElderAnswer(count: 2), ElderAnswer(count: 1)))
    #expect(try await all.rotate(wedding: "w") == 3)
    let some = OriginKeys(keys: keys, loops: [], elders: hands(ElderAnswer(count: 2), .missing))
    await #expect(throws: APIError.self) { _ = try await some.rotate(wedding: "w") }
  }
}
