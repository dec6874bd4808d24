import HLS
import Logging
import Media
import Store
import Synchronization
import TestSupport
import Testing

@testable import Origin

@Suite final class `Streams that were left in the ledger`: Sendable {
  private let store = UnreliableStore()
  private let key = StreamKey.named("w")
  private let told = Mutex(0)

  private func ledger() -> StreamLedger {
    StreamLedger(store: store, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  /// A stream that was on the air with a process that was killed.
  private func left() async {
    let before = ledger()
    _ = await before.begin(key)
    await before.note(key, WindowState(nextSequence: 3), began: 1_000)
  }

  private func end(_ ledger: StreamLedger) async -> Bool {
    await ledger.endLeft(key) { told.withLock { $0 += 1 } }
  }

  private var count: Int { told.withLock { $0 } }

  @Test func `one that nobody comes back to is ended once`() async throws {
    await left()
    for _ in 1...2 {
      #expect(await end(ledger()))
      #expect(count == 1)
      #expect(await ledger().unended() == [])
    }
    // Its numbers go on.
    #expect(await ledger().begin(key).nextSequence >= 3)
  }

  @Test func `one that is asked for is ended when its publisher was refused`() async throws {
    await left()
    let ledger = ledger()
    #expect(await ledger.unended() == [key])
    _ = await ledger.begin(key)
    #expect(await end(ledger) == false)
    await ledger.withdraw(key)
    #expect(count == 0)
    #expect(await end(ledger))
    #expect(count == 1)
  }

  @Test func `one whose publisher is back has no end of before`() async throws {
    await left()
    let ledger = ledger()
    _ = await ledger.begin(key)
    await ledger.note(key, WindowState(nextSequence: 140), began: 2_000)
    await ledger.end(key)
    #expect(await end(ledger))
    #expect(count == 0)
  }

  @Test func `one that was never on the air has none`() async throws {
    let before = ledger()
    _ = await before.begin(key)
    #expect(await end(ledger()))
    #expect(count == 0)
  }

  @Test func `who comes while it is told keeps what is noted`() async throws {
    await left()
    let ledger = ledger()
    #expect(await ledger.endLeft(key) { _ = await ledger.begin(key) })
    #expect(await ledger.unended() == [key])
  }

  @Test func `one is told once though the store fails`() async throws {
    await left()
    let ledger = ledger()
    #expect(
      await ledger.endLeft(key) {
        told.withLock { $0 += 1 }
        await store.fail(.full("no room"))
      })
    #expect(count == 1)
    await store.fail(nil)
    #expect(await ledger.unended() == [key])
  }
}
