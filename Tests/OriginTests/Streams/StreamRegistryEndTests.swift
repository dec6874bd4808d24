import Events
import HLS
import Ingest
import Media
import Store
import TestSupport
import Testing

@testable import Origin

@Suite struct `Ends of streams in the registry` {
  private let key = StreamKey.named("w")
  private let one = ImaginedPublisher(1, token: "one")
  private let two = ImaginedPublisher(2, token: "two")

  /// What has been told by now.
  private func kinds(
    _ told: AsyncStream<Event>, _ test: TestRegistry
  ) async -> [Event.Kind] {
    test.events.publish(Event(.errorOccurred, wedding: "last"))
    var kinds: [Event.Kind] = []
    for await event in told {
      if event.wedding == "last" { break }
      kinds.append(event.kind)
    }
    return kinds
  }

  /// What the cluster says of a stream whose publisher is gone, whether that was sent elsewhere,
  /// and whether the stream has ended.
  @Test(
    arguments: [
      (says: true, wasSent: false, hasEnded: false), (true, true, false), (false, false, true),
      // It was sent to one that was not to have it.
      (false, true, true), (nil, false, true), (nil, true, false),
    ] as [(says: Bool?, wasSent: Bool, hasEnded: Bool)])
  func `the end of a stream is told by who has had it last, and nobody else`(
    says: Bool?, wasSent: Bool, hasEnded: Bool
  ) async throws {
    let test = TestRegistry {
      $0.reconnectWindow = .milliseconds(20)
      $0.afterEnd = .milliseconds(20)
    } isElsewhere: { _, _ in
      says
    }
    let told = test.events.subscribe()
    let claim = try await test.publish(key, one)
    claim.box.stream.begin { _ in }
    claim.box.stream.interrupt(wasSent ? .elsewhere : .other("gone"))
    await test.registry.release(claim)
    #expect(await eventually { await test.log.closed == [key] })
    #expect(await test.registry.count == 0)
    #expect(test.board[key] == nil)
    await test.errands.settle()
    let name = StreamNumbers.Name(wedding: "w", camera: "main")
    #expect(try await test.store.numbers(name)?.isOver == hasEnded)
    #expect(await kinds(told, test) == (hasEnded ? [.streamEnded] : []))
  }

  @Test(arguments: [true, false])
  func `what a process before this one has left ends here, also where its publisher is refused`(
    isAwaited: Bool
  ) async throws {
    let test = TestRegistry {
      $0.reconnectWindow = .milliseconds(20)
      $0.afterEnd = .milliseconds(20)
    }
    let told = test.events.subscribe()
    let now = StreamOutlet.wallClockMilliseconds
    let claim = try await test.registry.claim(
      key, by: one.publisher, after: WindowState(nextSequence: 7),
      left: isAwaited ? Broadcast(began: now - 5_000, last: now) : nil)
    // The backend says no.
    await test.registry.release(claim)
    #expect(await eventually { await test.log.closed == [key] })
    #expect(await kinds(told, test) == (isAwaited ? [.streamEnded] : []))
  }

  @Test(.timeLimit(.minutes(1)))
  func `who is refused again and again puts no end off`() async throws {
    let test = TestRegistry { $0.reconnectWindow = .milliseconds(200) }
    let claim = try await test.publish(key, one)
    claim.box.stream.begin { _ in }
    claim.box.stream.interrupt()
    await test.registry.release(claim)
    while test.board[key]?.state != .ended, !Task.isCancelled {
      let refused = try await test.registry.claim(key, by: two.publisher)
      await test.registry.release(refused)
      try? await Task.sleep(for: .milliseconds(20))
    }
    #expect(test.board[key]?.state == .ended)
  }

  @Test func `one that is admitted in time goes on with its broadcast`() async throws {
    let test = TestRegistry()
    let now = StreamOutlet.wallClockMilliseconds
    let refused = try await test.registry.claim(
      key, by: one.publisher, left: Broadcast(began: now - 5_000, last: now))
    await test.registry.release(refused)
    let claim = try await test.publish(key, two)
    claim.box.stream.begin { _ in }
    #expect(claim.box.stream.broadcast.began == now - 5_000)
    let next = ImaginedPublisher(9, token: "two").publisher
    let left = try await test.registry.yield(key, to: next)
    #expect(left?.broadcast?.began == now - 5_000)
  }

  @Test func `a publisher that returns while the cluster is asked keeps its stream`() async throws {
    let asked = RegistryLog()
    await asked.hold()
    let test = TestRegistry {
      $0.reconnectWindow = .milliseconds(20)
    } isElsewhere: { key, _ in
      await asked.opening(key)
      return false
    }
    let claim = try await test.publish(key, one)
    claim.box.stream.begin { _ in }
    claim.box.stream.interrupt()
    await test.registry.release(claim)
    #expect(await eventually { await asked.opened == [key] })
    let again = try await test.publish(key, two)
    again.box.stream.begin { _ in }
    await asked.letGo()
    #expect(test.board[key]?.state == .live)
    #expect(again.box === claim.box)
    #expect(await test.registry.holder(of: key)?.id == 2)
  }
}
