import Logging
import ServiceLifecycle
import Synchronization
import Testing

@testable import wedlive

@Suite struct `Shutdown` {
  /// Who was told to stop, in order.
  private final class Record: Sendable {
    private let names = Mutex<[String]>([])

    var all: [String] { names.withLock { $0 } }
    func note(_ name: String) { names.withLock { $0.append(name) } }

    private let held = Mutex<CheckedContinuation<Void, Never>?>(nil)

    func hold(_ continuation: CheckedContinuation<Void, Never>) {
      held.withLock { $0 = continuation }
    }

    func letGo() { held.withLock { $0 }?.resume() }
  }

  private struct Orderly: Service {
    let name: String
    let record: Record

    func run() async throws {
      try await gracefulShutdown()
      record.note(name)
    }
  }

  /// Hears of the stop, and is stuck in something that never returns.
  private struct Stuck: Service {
    let record: Record

    func run() async throws {
      await withGracefulShutdownHandler {
        // Not a sleep: nothing ends it, no cancellation either.
        await withCheckedContinuation { record.hold($0) }
      } onGracefulShutdown: {
        record.note("stuck")
      }
    }
  }

  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  @Test func `the node stops before what may hang, which is not waited for`() async throws {
    let record = Record()
    let group = NodeFrame.services(
      node: Orderly(name: "node", record: record),
      publishers: [Orderly(name: "demo", record: record)],
      others: [Orderly(name: "keys", record: record), Stuck(record: record)], logger: logger)
    async let ended: Void = group.run()
    await group.triggerGracefulShutdown()
    try await ended
    #expect(record.all == ["demo", "node", "stuck", "keys"])
    record.letGo()
  }

  @Test func `a service that fails is not hidden`() async {
    struct Failure: Error {}
    struct Failing: Service {
      func run() async throws { throw Failure() }
    }
    await #expect(throws: Failure.self) { try await HastyService(Failing()).run() }
  }
}
