import HTTPClient
import HTTPTypes
import Synchronization
import Testing

/// Collects a response, and says by events how far it has come.
private final class Collector: ResponseReceiver {
  enum Event: Equatable, Sendable {
    case head(Int)
    case body(Int)
    case caughtUp
    case ended(HTTPClientError.Code?)
  }

  private struct State {
    var bytes = 0
    var taken = Int.max
  }

  let events: AsyncStream<Event>
  private let sink: AsyncStream<Event>.Continuation
  private let state = Mutex(State())

  /// - Parameter taken: bytes after which it wants no more for now.
  init(taking taken: Int = .max) {
    (events, sink) = AsyncStream.makeStream()
    state.withLock { $0.taken = taken }
  }

  var bytes: Int { state.withLock { $0.bytes } }

  func takeAll() { state.withLock { $0.taken = .max } }

  func received(head: HTTPResponse) { sink.yield(.head(head.status.code)) }

  func received(body: borrowing Span<UInt8>) -> Bool {
    let count = body.count
    sink.yield(.body(count))
    return state.withLock { state in
      state.bytes += count
      return state.bytes < state.taken
    }
  }

  func caughtUp() { sink.yield(.caughtUp) }

  func ended(_ problem: HTTPClientError?) {
    sink.yield(.ended(problem?.code))
    sink.finish()
  }

  /// All that comes until the end.
  func rest() async -> [Event] {
    var all: [Event] = []
    for await event in events { all.append(event) }
    return all
  }
}

@Suite struct `Response taken as it comes` {
  let server: ScriptedServer

  init() throws { server = try ScriptedServer.shared.get() }

  private func request(_ path: String, _ method: HTTPRequest.Method = .get) -> HTTPRequest {
    HTTPRequest(method: method, scheme: "http", authority: server.authority, path: path)
  }

  private func start(
    _ path: String, _ client: HTTPClient, _ collector: Collector,
    headDeadline: Duration = .seconds(20), stall: Duration = .seconds(20),
    method: HTTPRequest.Method = .get
  ) throws -> ResponseStream {
    try client.stream(
      request(path, method), headDeadline: headDeadline, stall: stall, to: collector)
  }

  @Test(arguments: ["/early", "/slow", "/redirect", "/big"])
  func `the head, the body, the end`(_ path: String) async throws {
    let client = try HTTPClient()
    let collector = Collector()
    _ = try start(path, client, collector)
    let events = await collector.rest()
    #expect(events.first == .head(path == "/redirect" ? 302 : 200))
    #expect(events.last == .ended(nil))
    #expect(events.filter { if case .head = $0 { true } else { false } }.count == 1)
    // Of the last piece, too, it is said that there is no more for now.
    #expect(events.dropLast().last == (path == "/redirect" ? .head(302) : .caughtUp))
    #expect(collector.bytes == ["/early": 4, "/slow": 4, "/redirect": 0, "/big": 100_000][path])
  }

  @Test func `a HEAD has no body`() async throws {
    let client = try HTTPClient()
    let collector = Collector()
    _ = try start("/big", client, collector, method: .head)
    #expect(await collector.rest() == [.head(200), .ended(nil)])
  }

  @Test func `a body that breaks off says so after what came of it`() async throws {
    let client = try HTTPClient()
    let collector = Collector()
    _ = try start("/short", client, collector)
    #expect(await collector.rest() == [.head(200), .body(5), .caughtUp, .ended(.interrupted)])
  }

  @Test(arguments: [("/drop", HTTPClientError.Code.interrupted), ("/garbage", .brokenResponse)])
  func `no response at all`(_ path: String, code: HTTPClientError.Code) async throws {
    let client = try HTTPClient()
    let collector = Collector()
    _ = try start(path, client, collector)
    #expect(await collector.rest() == [.ended(code)])
  }

  @Test func `a head that doesn't come in time`() async throws {
    let client = try HTTPClient()
    let collector = Collector()
    _ = try start("/hang", client, collector, headDeadline: .milliseconds(300))
    #expect(await collector.rest() == [.ended(.timedOut)])
  }

  @Test func `pieces of what came at once are told of once`() async throws {
    let client = try HTTPClient()
    let collector = Collector()
    let other = Collector()
    let streams = [
      try start("/endless", client, collector), try start("/endless", client, other),
    ]
    // libcurl hands over 16 KiB at a time: of some reads several pieces follow each other.
    var pieces = 0
    for await event in collector.events {
      if case .body = event { pieces += 1 }
      if event == .caughtUp {
        if pieces > 1 { break }
        pieces = 0
      }
    }
    #expect(pieces > 1)
    for stream in streams { stream.cancel() }
  }

  @Test func `a body that stops ends soon, however fast it was`() async throws {
    let client = try HTTPClient()
    let clock = Collector()
    let other = try start("/drip", client, clock)
    let collector = Collector()
    _ = try start("/frozen", client, collector, stall: .milliseconds(500))
    let events = await collector.rest()
    // A byte each twentieth of a second: the mean of what came falls for five of them.
    #expect(clock.bytes < 80)
    #expect(collector.bytes == 2_000_000)
    #expect(events.last == .ended(.timedOut))
    other.cancel()
  }

  @Test func `who wants no more is given no more, until it does`() async throws {
    let client = try HTTPClient()
    let collector = Collector(taking: 50_000)
    let stream = try start("/endless", client, collector)
    var events = collector.events.makeAsyncIterator()
    while collector.bytes < 50_000 { _ = await events.next() }
    // Another exchange of the same client goes on meanwhile, and takes longer than a piece would.
    let slow = Collector()
    _ = try start("/slow", client, slow)
    _ = await slow.rest()
    let paused = collector.bytes
    #expect(paused < 50_000 + 300_000)
    collector.takeAll()
    stream.resume()
    while collector.bytes < paused + 1_000_000 { _ = await events.next() }
    stream.cancel()
    while let event = await events.next() {
      if case .ended(let code) = event { #expect(code == .cancelled) }
    }
  }

  @Test func `a closed client ends it`() async throws {
    let client = try HTTPClient()
    let collector = Collector()
    _ = try start("/hang", client, collector)
    client.close()
    #expect(await collector.rest() == [.ended(.closed)])
    let late = Collector()
    _ = try start("/slow", client, late)
    #expect(await late.rest() == [.ended(.closed)])
  }
}
