import Telemetry
import Testing
import TestSupport

@testable import EventLoop
@testable import HTTPServer
@testable import Viewers

@Suite struct `Stream table` {
  private func place(_ table: StreamTable, _ path: String) -> StreamTable.Slot? {
    table.slot(Array(path.utf8).span)
  }

  private func version(_ table: StreamTable, _ path: String) -> UInt64? {
    place(table, path)?.snapshot.version
  }

  @Test func `a stream is found by its camera, the main one by its wedding too`() {
    let table = StreamTable()
    table.update(StreamSnapshot("w", version: 1))
    table.update(StreamSnapshot("w", "c2", version: 2))
    #expect(version(table, "/hls/w") == 1)
    #expect(version(table, "/hls/w/main") == 1)
    #expect(version(table, "/hls/w/c2") == 2)
    #expect(version(table, "/hls/w/c3") == nil)
    #expect(version(table, "/hls/v") == nil)
  }

  @Test func `an older snapshot never replaces a newer one`() {
    let table = StreamTable()
    table.update(StreamSnapshot("w", version: 5))
    table.update(StreamSnapshot("w", version: 4))
    #expect(version(table, "/hls/w") == 5)
    table.update(StreamSnapshot("w", version: 6))
    #expect(version(table, "/hls/w/main") == 6)
  }

  @Test func `a stream that has gone on since is not removed`() {
    let table = StreamTable()
    table.update(StreamSnapshot("w", version: 1, isOver: true))
    table.update(StreamSnapshot("w", version: 2))
    table.remove(.named("w"), version: 1)
    #expect(version(table, "/hls/w") == 2)
    table.remove(.named("w"), version: 2)
    #expect(version(table, "/hls/w") == nil)
    #expect(version(table, "/hls/w/main") == nil)
    table.remove(.named("w"), version: 2)
  }

  @Test func `viewers of all streams are counted once, whatever addresses these have`() {
    let table = StreamTable()
    table.update(StreamSnapshot("w", version: 1))
    table.update(StreamSnapshot("w", "c2", version: 2))
    table.update(StreamSnapshot("v", version: 3))
    #expect(table.viewers(now: 100) == 0)
    for viewer in UInt64(1)...3 { place(table, "/hls/w")?.viewers.note(viewer, now: 100) }
    place(table, "/hls/w/main")?.viewers.note(3, now: 101)
    place(table, "/hls/w/c2")?.viewers.note(3, now: 101)
    place(table, "/hls/v/main")?.viewers.note(9, now: 101)
    #expect(table.viewers(now: 101) == 5)
    // Those who have not come back within 15 seconds have gone.
    #expect(table.viewers(now: 116) == 3)
    table.remove(.named("v"), version: 3)
    #expect(table.viewers(now: 116) == 2)
  }

  @Test func `removing another camera leaves the program`() {
    let table = StreamTable()
    table.update(StreamSnapshot("w", version: 1))
    table.update(StreamSnapshot("w", "c2", version: 2))
    table.remove(.named("w", "c2"), version: 2)
    #expect(version(table, "/hls/w") == 1)
    #expect(version(table, "/hls/w/c2") == nil)
  }

  @Test func `those who wait are released by their segment, or by the end`() throws {
    let server = LoopServer(on: try Loop(), metrics: ServerMetrics(MetricRegistry()))
    let table = StreamTable()
    table.update(StreamSnapshot("w", version: 1, next: 7))
    let slot = try #require(place(table, "/hls/w"))
    let next = try held(server, 1)
    let second = try held(server, 3)
    let far = try held(server, 5)
    for (token, sequence) in [(next, 7), (second, 8), (far, 9)] {
      slot.wait(token, for: .segment(sequence, of: Array("source".utf8)), .everybody, at: server)
    }
    table.update(StreamSnapshot("w", version: 2, next: 7))
    #expect(server.heldCount == 3)
    table.update(StreamSnapshot("w", version: 3, next: 8))
    #expect([next, second, far].map(server.isHeld) == [false, true, true])
    table.update(StreamSnapshot("w", version: 4, next: 8, isOver: true))
    #expect(server.heldCount == 0)
    #expect(slot.waitingCount == 0)
  }

  @Test func `those who wait are let go when the next process goes on with the stream`() throws {
    let server = LoopServer(on: try Loop(), metrics: ServerMetrics(MetricRegistry()))
    let table = StreamTable()
    table.update(StreamSnapshot("w", version: 1, next: 7))
    let slot = try #require(place(table, "/hls/w"))
    let viewers = try [held(server, 1), held(server, 3), held(server, 5)]
    let node = try held(server, 7)
    let source = Array("source".utf8)
    slot.wait(viewers[0], for: .segment(7, of: source), .everybody, isProgram: true, at: server)
    slot.wait(viewers[1], for: .segment(-1, of: Array("720p".utf8)), .everybody, at: server)
    slot.wait(viewers[2], for: .master(0, startingWith: nil), .everybody, at: server)
    slot.wait(node, for: .news(launch: "a"), .everybody, at: server)
    // It has no program of its own, and there is no such camera.
    table.leave(.named("w", "program"))
    table.leave(.named("w", "c2"))
    #expect(!slot.isLeft)
    #expect(server.heldCount == 4)
    table.leave(.named("w"))
    #expect(slot.isLeft)
    #expect(viewers.map(server.isHeld) == [false, false, false])
    // The next process is told of what comes to light here later.
    #expect(server.isHeld(node))
    #expect(slot.waitingCount == 1)
    table.update(StreamSnapshot("w", version: 2, next: 7))
    #expect(server.heldCount == 0)
  }

  @Test func `those who wait at one of a loop's servers are released there`() throws {
    let loop = try Loop()
    let servers = (1...2).map { _ in
      LoopServer(on: loop, metrics: ServerMetrics(MetricRegistry()))
    }
    let table = StreamTable()
    table.update(StreamSnapshot("w", version: 1, next: 7))
    let slot = try #require(place(table, "/hls/w"))
    // Of another stream, and by chance the same for its server.
    let other = try held(servers[0], 1)
    let waiting = try held(servers[1], 1)
    #expect(other == waiting)
    slot.wait(waiting, for: .news(launch: "a"), .everybody, at: servers[1])
    table.update(StreamSnapshot("w", version: 2, next: 8))
    #expect(servers.map(\.heldCount) == [1, 0])
  }

  @Test func `those who have gone are not remembered for ever while no segment comes`() throws {
    let server = LoopServer(on: try Loop(), metrics: ServerMetrics(MetricRegistry()))
    let table = StreamTable()
    table.update(StreamSnapshot("w", version: 1, next: 7))
    let slot = try #require(place(table, "/hls/w"))
    let patient = try (1...40).map { try held(server, $0) }
    for token in patient {
      slot.wait(token, for: .segment(7, of: Array("source".utf8)), .everybody, at: server)
    }
    for stream: Int32 in 100..<10_000 {
      let token = try held(server, stream)
      slot.wait(token, for: .segment(7, of: Array("source".utf8)), .everybody, at: server)
      server.forget(token)
      #expect(slot.waitingCount <= 100)
    }
    table.update(StreamSnapshot("w", version: 2, next: 8))
    #expect(server.heldCount == 0)
  }
}

@Suite struct `Stream table, programs` {
  private let table = StreamTable()

  private func place(_ path: String) -> StreamTable.Slot? { table.slot(Array(path.utf8).span) }

  private func version(_ path: String) -> UInt64? { place(path)?.snapshot.version }

  @Test func `one camera is the program, under its address too`() {
    table.update(StreamSnapshot("w", version: 1))
    table.update(StreamSnapshot("w", "c2", version: 2))
    #expect(version("/hls/w/program") == 1)
    table.remove(.named("w"), version: 1)
    #expect(version("/hls/w/program") == nil)
    #expect(version("/hls/w/c2") == 2)
  }

  @Test func `a program of its own takes its place, and gives it back to the main camera`() {
    table.update(StreamSnapshot("w", version: 1))
    table.update(StreamSnapshot("w", "program", version: 2))
    #expect(version("/hls/w") == 2)
    #expect(version("/hls/w/program") == 2)
    #expect(version("/hls/w/main") == 1)
    table.update(StreamSnapshot("w", version: 3))
    #expect(version("/hls/w") == 2)
    table.update(StreamSnapshot("w", "program", version: 4))
    #expect(version("/hls/w") == 4)
    table.remove(.named("w", "program"), version: 4)
    #expect(version("/hls/w") == 3)
    #expect(version("/hls/w/program") == 3)
  }

  @Test func `a main camera beside a program is never taken for it`() {
    let camera = StreamSnapshot(
      key: .named("w"), version: 1, isOver: false, isProgram: false, masters: [], renditions: [])
    table.update(camera)
    #expect(version("/hls/w/main") == 1)
    #expect(version("/hls/w") == nil)
    #expect(version("/hls/w/program") == nil)
  }

  /// The main camera's stream, as another process tells it.
  private func told(_ version: UInt64, isProgram: Bool, next: Int = 0) -> StreamSnapshot {
    StreamSnapshot(
      key: .named("w"), version: version, isOver: false, isProgram: isProgram, masters: [],
      renditions: StreamSnapshot("w", version: version, next: next).renditions, launch: "other")
  }

  @Test func `what is asked for by its camera is the program too, once that is known`() {
    let waiting = StreamSnapshot(
      key: .named("w"), version: 0, isOver: false, isProgram: false, masters: [], renditions: [])
    table.update(waiting)
    #expect(version("/hls/w/program") == nil)
    table.update(told(1, isProgram: true))
    #expect(version("/hls/w") == 1)
    #expect(version("/hls/w/program") == 1)
  }

  @Test func `a camera that another process says is the program no longer keeps its own address`() {
    table.update(told(1, isProgram: true))
    table.update(told(2, isProgram: false))
    #expect(version("/hls/w/main") == 2)
    #expect(version("/hls/w") == nil)
    #expect(version("/hls/w/program") == nil)
    // Where the program is not watched any more, the camera still isn't the program.
    table.update(StreamSnapshot("w", "program", version: 3))
    table.remove(.named("w", "program"), version: 3)
    #expect(version("/hls/w/program") == nil)
    table.update(told(4, isProgram: true))
    #expect(version("/hls/w/program") == 4)
  }

  @Test func `a camera of this process keeps the program's address until that has a stream`() {
    table.update(StreamSnapshot("w", version: 1))
    let camera = StreamSnapshot(
      key: .named("w"), version: 2, isOver: false, isProgram: false, masters: [], renditions: [])
    table.update(camera)
    #expect(version("/hls/w/program") == 2)
  }

  @Test func `who waits for what is the program no longer is let go to ask again`() throws {
    let server = LoopServer(on: try Loop(), metrics: ServerMetrics(MetricRegistry()))
    table.update(told(1, isProgram: true, next: 7))
    let slot = try #require(place("/hls/w"))
    let viewers = try [held(server, 1), held(server, 3)]
    let source = Array("source".utf8)
    slot.wait(viewers[0], for: .segment(7, of: source), .everybody, isProgram: true, at: server)
    slot.wait(viewers[1], for: .segment(7, of: source), .everybody, at: server)
    table.update(told(2, isProgram: false, next: 7))
    #expect(viewers.map(server.isHeld) == [false, true])
    #expect(slot.waitingCount == 1)
  }

  @Test func `who waits for a program that is gone waits for the camera that is it again`() throws {
    let server = LoopServer(on: try Loop(), metrics: ServerMetrics(MetricRegistry()))
    table.update(StreamSnapshot("w", "program", version: 1, next: 7))
    let viewer = try held(server, 1)
    try #require(place("/hls/w")).wait(
      viewer, for: .segment(7, of: Array("source".utf8)), .everybody, isProgram: true, at: server)
    table.update(told(2, isProgram: true, next: 7))
    table.remove(.named("w", "program"), version: 1)
    #expect(server.isHeld(viewer))
    table.update(told(3, isProgram: true, next: 8))
    #expect(!server.isHeld(viewer))
  }

  @Test func `who waits for the program goes over to it, who waits for the camera stays`() throws {
    let server = LoopServer(on: try Loop(), metrics: ServerMetrics(MetricRegistry()))
    table.update(StreamSnapshot("w", version: 1, next: 7))
    let slot = try #require(place("/hls/w"))
    let viewers = try [held(server, 1), held(server, 3)]
    let source = Array("source".utf8)
    slot.wait(viewers[0], for: .segment(7, of: source), .everybody, isProgram: true, at: server)
    slot.wait(viewers[1], for: .segment(7, of: source), .everybody, at: server)
    table.update(StreamSnapshot("w", "program", version: 2, next: 7))
    #expect(viewers.map(server.isHeld) == [true, true])
    // The camera's segment is not the program's.
    table.update(StreamSnapshot("w", version: 3, next: 8))
    #expect(viewers.map(server.isHeld) == [true, false])
    table.update(StreamSnapshot("w", "program", version: 4, next: 8))
    #expect(server.heldCount == 0)
  }
}

/// A server that holds requests of no connection at all.
private func held(_ server: LoopServer, _ stream: Int32) throws -> HeldRequest {
  try #require(
    server.hold(
      HeldRequests.Waiter(
        request: RequestKey(connection: ChannelID(slot: 1, generation: 1), stream: stream),
        isHead: false, acceptsGzip: false,
        otherwise: .prepared(PreparedResponse(fields: [], body: []))), for: .seconds(3_600)))
}
