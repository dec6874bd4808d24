import Cache
import EventLoop
import HTTPClient
import HTTPTypes
import Synchronization
import Testing

@testable import Edge

@Suite struct `Segments that are on their way` {
  private let proxy: EdgeProxy

  init() throws { proxy = EdgeProxy(EdgeConfiguration(), client: try HTTPClient()) }

  /// An answer whose body is yet to come.
  private func coming(_ status: HTTPResponse.Status = .ok) -> EdgeFill {
    let request = HTTPRequest(method: .get, scheme: "http", authority: "a", path: "/a")
    let response = HTTPResponse(status: status, headerFields: [.cacheControl: "max-age=60"])
    let order = EdgeFetch.Order(
      request: request, name: "a/a", key: proxy.store.key("a/a"), stored: nil, isShared: true,
      pool: proxy.upstreams, patience: nil, since: proxy.store.log.moment)
    return EdgeFill(
      response, to: order,
      freshness: Freshness(response, requestedAt: 0, receivedAt: 0, rules: CacheRules()),
      body: FillBody(), outcome: .miss(stored: true, collapsed: false), isForAll: true)
  }

  /// Waits for what `ask` answers, each by its place.
  private func wait(
    for count: Int = 1, patience: Duration = .seconds(3_600), length: Duration = .seconds(3_600),
    _ ask: (Int, @escaping @Sendable (EdgeAnswer) -> Void) -> Void
  ) async -> Bool {
    await ArrivingSegments.wait(for: count, patience: patience, length: length, ask: ask)
  }

  @Test func `are told of when all of each is here`() async {
    let fills = [coming(), coming()]
    let isOver = Mutex(false)
    let waiting = Task {
      let result = await wait(for: 2) { $1(.filling(fills[$0], isJoined: false)) }
      isOver.withLock { $0 = true }
      return result
    }
    fills[0].receiveByte()
    fills[0].body.complete()
    fills[1].receiveByte()
    for _ in 0..<100 { await Task.yield() }
    #expect(!isOver.withLock { $0 })
    fills[1].body.complete()
    #expect(await waiting.value)
    #expect(await wait(for: 0) { _, _ in })
  }

  @Test func `are for who asks now until they break off, or are whole and not fresh any more`() {
    let (whole, broken) = (coming(), coming())
    for fill in [whole, broken] {
      fill.receiveByte()
      #expect(fill.mayBeJoined(at: 100))
    }
    whole.body.complete()
    #expect(whole.mayBeJoined(at: 59))
    #expect(!whole.mayBeJoined(at: 61))
    broken.body.fail("its origin is gone")
    #expect(!broken.mayBeJoined(at: 1))
  }

  @Test func `are waited for no more when one breaks off, fails or never begins`() async {
    let broken = coming()
    broken.receiveByte()
    broken.body.fail("its origin is gone")
    #expect(await wait { $1(.filling(broken, isJoined: false)) } == false)
    #expect(await wait { $1(.filling(coming(.notFound), isJoined: false)) } == false)
    #expect(await wait { $1(.failed(.unreachable("gone"))) } == false)
    #expect(await wait(patience: .milliseconds(1)) { _, _ in } == false)
  }

  @Test func `that come more slowly than they last are read as they come`() async {
    let fill = coming()
    let writer = Task {
      while !Task.isCancelled {
        fill.receiveByte()
        await Task.yield()
      }
    }
    #expect(
      await wait(patience: .milliseconds(50), length: .milliseconds(1)) {
        $1(.filling(fill, isJoined: false))
      })
    #expect(fill.body.progress.end == .open)
    writer.cancel()
  }

  @Test func `that have stopped in the middle are waited for until the stream moves`() async {
    let fill = coming()
    fill.receiveByte()
    let ticks = Atomic(0)
    let waiting = Task {
      await wait(patience: .milliseconds(1), length: .milliseconds(1)) {
        $1(.filling(fill, isJoined: false))
      }
    }
    let clock = Task {
      while ticks.add(1, ordering: .relaxed).newValue < 50 {
        try? await Task.sleep(for: .milliseconds(1))
      }
    }
    await clock.value
    waiting.cancel()
    #expect(await waiting.value == false)
  }
}

extension EdgeFill {
  fileprivate func receiveByte() {
    let byte: [UInt8] = [1]
    _ = body.append(byte.span)
  }
}
