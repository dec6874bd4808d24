import BlockingSupport
import Synchronization
import Testing

@testable import EventLoop
@testable import HTTPServer

/// What happened, in order.
private final class Record: Sendable {
  private let events = Mutex<[String]>([])

  func add(_ event: String) { events.withLock { $0.append(event) } }
  var all: [String] { events.withLock { $0 } }
}

private final class NotedSource: BodySource {
  private let record: Record
  private var left = 1

  init(_ record: Record) { self.record = record }

  override func next() -> BodyPiece {
    guard left > 0 else { return .end }
    left -= 1
    record.add("body")
    return .bytes(Array("news".utf8), 0..<4)
  }
}

@Suite(.blocking) struct `A crowd that waits` {
  private static let count = 40

  @Test(arguments: [true, false]) func `has its heads before any of many has a body`(
    http2: Bool
  ) async throws {
    let handlers = Handlers()
    let server = try TestServer(handler: { handlers.make() })
    let clients = try (0..<Self.count).map { _ in
      try http2 ? server.http2() : TestClient(plain: server.plainPort)
    }
    for client in clients {
      client.send(
        http2 ? Frames.request(1, "/hold") : Array("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n".utf8))
    }
    #expect(
      server.eventually { server.metric("wedlive_http_held_requests") == Self.count })
    let record = Record()
    let head = StreamedResponse.head(status: 200, fields: [], contentLength: 4)
    try await server.onLoop { server in
      for token in handlers.tokens {
        record.add("head")
        let response = StreamedResponse(
          head: head, contentLength: 4, source: NotedSource(record))
        server.release(token, with: .streamed(response))
      }
    }
    for client in clients {
      if http2 {
        #expect(client.h2Body(1) == Array("news".utf8))
      } else {
        #expect(client.response()?.text == "news")
      }
    }
    // The first few don't know yet that they are a crowd.
    let lastHead = record.all.lastIndex(of: "head") ?? 0
    #expect(record.all[..<lastHead].count { $0 == "body" } <= 8)
    #expect(record.all.count { $0 == "body" } == Self.count)
  }

  @Test(arguments: [1, 8, 9, 40]) func `is over when all have begun, however late it is looked at`(
    count: Int
  ) {
    var crowd = Crowd()
    let start = MonotonicTime.now
    for number in 0..<count {
      let request = RequestKey(connection: ChannelID(raw: UInt64(number)), stream: 1)
      #expect(crowd.begin(request, at: start).isFirst == (number == 0))
    }
    // The loop had other things to do for longer than bodies wait at most.
    var late = start + Crowd.patience * 2
    var begun = 0
    var looks = 0
    repeat {
      begun += crowd.look(at: late).count
      late = late + .milliseconds(1)
      looks += 1
    } while !crowd.end() && looks < 100
    #expect(looks == max(1, (count - 1) / 8))
    #expect(begun == max(0, count - 8))
    // The next one is a crowd of its own.
    let another = RequestKey(connection: ChannelID(raw: 99), stream: 1)
    #expect(crowd.begin(another, at: late).isFirst)
  }

  @Test func `may lose some who leave before their bodies`() async throws {
    let handlers = Handlers()
    let server = try TestServer(handler: { handlers.make() })
    let clients = try (0..<Self.count).map { _ in try server.http2() }
    for client in clients { client.send(Frames.request(1, "/hold")) }
    #expect(
      server.eventually { server.metric("wedlive_http_held_requests") == Self.count })
    let record = Record()
    try await server.onLoop { server in
      for token in handlers.tokens {
        let response = StreamedResponse(
          status: 200, fields: [], contentLength: 4, source: NotedSource(record))
        server.release(token, with: .streamed(response))
      }
    }
    for client in clients.prefix(20) { client.send(Frames.rst(1)) }
    for client in clients.suffix(20) { #expect(client.h2Body(1) == Array("news".utf8)) }
  }
}
