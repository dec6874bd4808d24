import Cache
import Dispatch
import EventLoop
import HTTPTypes
import Synchronization
import Testing

@testable import Edge

@Suite struct `What is on its way takes no more than it may` {
  private func name(_ function: String = #function, _ tail: String = "") -> String {
    String(function.filter { $0.isLetter }) + tail
  }

  /// Has a body held by one who reads nothing of it.
  private func hold(_ edge: EdgeNode, _ name: String, _ rule: String) async throws -> FillReader {
    try await edge.set(name, rule)
    let request = HTTPRequest(method: .get, scheme: "http", authority: "e", path: "/o/\(name)")
    return try await withCheckedThrowingContinuation { continuation in
      edge.proxy.ask(request, name: "e/o/\(name)", isShared: true) { answer in
        guard case .filling(let fill, _) = answer, let reader = fill.body.join() else {
          return continuation.resume(throwing: CancellationError())
        }
        continuation.resume(returning: reader)
      }
    }
  }

  @Test(arguments: ["", "&chunked=1"])
  func `beyond that what comes is handed on, and not kept`(_ more: String) async throws {
    let edge = try EdgeNode {
      $0.fillBytes = 500_000
      $0.unreadBytes = 20_000
      $0.sliceBytes = 0
    }
    let name = name(#function, more.isEmpty ? "" : "c")
    var reader: FillReader? = try await hold(
      edge, name + "held", "cc=max-age%3D600&size=400000&gate=1\(more)")
    #expect(
      try await edge.eventually {
        edge.proxy.fillMemory.bytes >= (more.isEmpty ? 400_000 : 200_000)
      })
    try await edge.open(name + "held")
    #expect(try await edge.allHasLanded())
    #expect(edge.proxy.fillMemory.bytes == 400_000)
    // Its reader holds it, be it kept or not.
    try await edge.set(name, "cc=max-age%3D600&size=300000\(more)")
    for number in 1...2 {
      let answer = try await edge.get("/o/\(name)")
      #expect(answer.body == ScriptedOrigin.body(name, number, size: 300_000))
      #expect(try await edge.allHasLanded())
    }
    #expect(edge.proxy.fillMemory.refused >= 2)
    // Small ones are kept nevertheless.
    try await edge.set(name + "small", "cc=max-age%3D600&size=20000\(more)")
    _ = try await edge.get("/o/\(name)small")
    #expect(try await edge.allHasLanded())
    #expect(try await edge.get("/o/\(name)small").head.cacheWord == "HIT")
    withExtendedLifetime(reader) {}
    reader = nil
    _ = reader
    #expect(try await edge.eventually { edge.proxy.fillMemory.bytes == 0 })
    _ = try await edge.get("/o/\(name)")
    #expect(try await edge.allHasLanded())
    #expect(try await edge.get("/o/\(name)").head.cacheWord == "HIT")
    #expect(try await edge.count(name) == 3)
  }

  @Test func `what nobody can count is not taken, and nothing of what is there is lost`() throws {
    let memory = FillMemory(limit: 100)
    let held = try #require(memory.share(10))
    for isForced in [false, true] {
      #expect(memory.share(.max, isForced: isForced) == nil)
      #expect(!held.grow(to: .max, isForced: false))
    }
    #expect(memory.bytes == 10)
    #expect(memory.refused == 4)
    // Nobody else is refused for it.
    #expect(memory.share(90) != nil)
    withExtendedLifetime(held) {}
  }

  @Test func `an error ends no edge that says it is longer than all memory`() async throws {
    let edge = try EdgeNode()
    let name = name()
    let reader = try await hold(edge, name + "held", "cc=max-age%3D600&size=4000&gate=1")
    let error = try await hold(edge, name, "status=404&says=\(Int.max)")
    // It is longer than what may be kept: nothing is held for it.
    #expect(edge.proxy.fillMemory.bytes == 4_000)
    #expect(edge.proxy.fillMemory.refused == 0)
    try await edge.open(name + "held")
    withExtendedLifetime((reader, error)) {}
  }

  @Test func `who is told too late of what isn't kept has it asked for anew`() async throws {
    let edge = try EdgeNode {
      $0.fillBytes = 10_000
      $0.unreadBytes = 20_000
      $0.sliceBytes = 0
    }
    let name = name()
    try await edge.set(name, "cc=max-age%3D600&size=400000&chunked=1&hold=1")
    let held = Held(edge)
    async let answer = held.value.get("/o/\(name)")
    #expect(try await edge.eventually { edge.proxy.flights.count == 1 })
    // Reads all of it while the loops are busy.
    let quick = QuickReader()
    let request = HTTPRequest(method: .get, scheme: "http", authority: "e", path: "/o/\(name)")
    edge.proxy.ask(request, name: "127.0.0.1:\(edge.port)/o/\(name)", isShared: true) {
      if case .filling(let fill, _) = $0 { quick.read(fill.body) }
    }
    let gate = DispatchSemaphore(value: 0)
    for mailbox in edge.group.mailboxes { mailbox.submit { _ in gate.wait() } }
    try await edge.open(name)
    #expect(try await edge.eventually { quick.bytes == 400_000 })
    for _ in edge.group.mailboxes { gate.signal() }
    let (head, body) = try await answer
    #expect(head.status == .ok)
    #expect(body == ScriptedOrigin.body(name, 2, size: 400_000))
  }
}

/// Reads a body as fast as it comes.
private final class QuickReader: Sendable {
  private let state = Mutex((reader: FillReader?.none, bytes: 0))

  var bytes: Int { state.withLock { $0.bytes } }

  func read(_ body: FillBody) {
    state.withLock { $0.reader = body.join() }
    goOn()
  }

  private func goOn() {
    while let reader = state.withLock({ $0.reader }),
      case .bytes(_, let range) = reader.read(wake: { [weak self] in self?.goOn() })
    {
      state.withLock { $0.bytes += range.count }
    }
  }
}
