import Synchronization
import Testing

@testable import Cache

private final class Calls: Sendable {
  private let number = Mutex(0)
  var count: Int { number.withLock { $0 } }
  func note() { number.withLock { $0 += 1 } }
}

/// Reads until nothing more is there; nil where the body failed.
private func read(_ body: FillBody, _ position: inout FillPosition) -> (
  bytes: [UInt8]?, isOver: Bool
) {
  var bytes: [UInt8] = []
  while true {
    switch body.read(&position, wake: {}) {
    case .bytes(let piece): bytes += piece
    case .pending: return (bytes, false)
    case .end: return (bytes, true)
    case .failed: return (nil, true)
    }
  }
}

@Suite struct `A body on its way in` {
  @Test func `readers get what is there, whenever they come`() {
    let body = FillBody()
    var early = FillPosition()
    var late = FillPosition()
    #expect(read(body, &early) == ([], false))
    #expect(body.append([1, 2]) == .goOn)
    #expect(read(body, &early) == ([1, 2], false))
    #expect(body.append([3]) == .goOn)
    body.complete()
    #expect(read(body, &early) == ([3], true))
    #expect(read(body, &late) == ([1, 2, 3], true))
    #expect(body.whole() == [1, 2, 3])
  }

  @Test func `a body that breaks off is never taken for a whole one`() {
    let body = FillBody()
    _ = body.append([1])
    var position = FillPosition()
    #expect(read(body, &position) == ([1], false))
    body.fail("connection closed")
    body.complete()
    _ = body.append([2])
    #expect(read(body, &position).bytes == nil)
    #expect(body.progress.end == .failed("connection closed"))
    #expect(body.whole() == nil)
  }

  @Test func `each reader that waits is called once`() {
    let body = FillBody()
    let calls = Calls()
    var positions = [FillPosition(), FillPosition(), FillPosition()]
    for index in positions.indices {
      // Asking twice is waiting once.
      for _ in 0..<2 { _ = body.read(&positions[index]) { calls.note() } }
    }
    body.leave(&positions[2])
    _ = body.append([1])
    #expect(calls.count == 2)
    _ = body.append([2])
    #expect(calls.count == 2)
    body.complete()
    #expect(calls.count == 2)
  }

  @Test func `a slow reader of a passing body holds the writer up`() {
    let body = FillBody(.passing(mostUnread: 10))
    let calls = Calls()
    body.onResume { calls.note() }
    #expect(body.append(Array(repeating: 1, count: 8)) == .goOn)
    #expect(body.append(Array(repeating: 2, count: 8)) == .wait)
    var position = FillPosition()
    guard case .bytes(let first) = body.read(&position, wake: {}) else {
      Issue.record("nothing to read")
      return
    }
    #expect(first.count == 8)
    #expect(calls.count == 0)
    _ = body.read(&position, wake: {})
    #expect(calls.count == 1)
    body.complete()
    #expect(read(body, &position) == ([], true))
    // What it has read is gone, for everybody.
    var late = FillPosition()
    #expect(read(body, &late).bytes == nil)
    #expect(body.whole() == nil)
  }

  @Test func `many threads read what one writes`() async {
    let body = FillBody()
    let pieces = (0..<500).map { number in [UInt8](repeating: UInt8(number % 251), count: number) }
    await withTaskGroup(of: [UInt8]?.self) { group in
      for _ in 0..<8 {
        group.addTask {
          var position = FillPosition()
          var bytes: [UInt8] = []
          while true {
            let (stream, more) = AsyncStream<Void>.makeStream()
            switch body.read(&position, wake: { more.finish() }) {
            case .bytes(let piece): bytes += piece
            case .pending: for await _ in stream {}
            case .end: return bytes
            case .failed: return nil
            }
          }
        }
      }
      for piece in pieces { _ = body.append(piece) }
      body.complete()
      for await read in group { #expect(read == pieces.flatMap { $0 }) }
    }
  }
}

@Suite struct `One flight for each object` {
  private let key = CacheKey(low: 1, high: 2)

  @Test func `one leads and all get what comes of it`() {
    let table = FlightTable<Int>(mostWaiters: 100)
    let got = Mutex<[Int]>([])
    #expect(table.join(key) { _ in } == .lead)
    for number in 0..<100 {
      #expect(table.join(key) { outcome in got.withLock { $0.append(outcome) } } == .wait(number))
    }
    #expect(table.join(key) { _ in } == .full)
    table.leave(key, 5)
    #expect(table.count == 1)
    #expect(table.land(key, 7) == 99)
    #expect(got.withLock { $0 } == Array(repeating: 7, count: 99))
    #expect(table.count == 0)
    #expect(table.join(key) { _ in } == .lead)
  }

  @Test func `of those who ask at once, just one leads`() async {
    let table = FlightTable<Int>()
    let leaders = Calls()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<200 {
        let key = key
        group.addTask { if table.join(key, { _ in }) == .lead { leaders.note() } }
      }
    }
    #expect(leaders.count == 1)
    #expect(table.land(key, 1) == 199)
  }
}
