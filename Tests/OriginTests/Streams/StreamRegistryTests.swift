import Events
import TestSupport
import Ingest
import Media
import RTMP
import Store
import Testing

@testable import Origin

@Suite struct `Stream registry` {
  private let key = StreamKey.named("w")
  private let one = ImaginedPublisher(1, token: "one")
  private let two = ImaginedPublisher(2, token: "two")

  private func refusal(
    _ registry: StreamRegistry, _ publisher: ImaginedPublisher
  ) async -> ClaimRefusal? {
    do throws(ClaimRefusal) {
      _ = try await registry.claim(key, by: publisher.publisher)
      return nil
    } catch {
      return error
    }
  }

  @Test func `a stream is granted to the first, and refused to a second while it sends`()
    async throws
  {
    let test = TestRegistry()
    _ = try await test.publish(key, one)
    #expect(await refusal(test.registry, two) == .taken)
    #expect(one.evictions == 0)
    #expect(await test.registry.holder(of: key)?.id == 1)
  }

  @Test func `the same token takes over at once, and the same stream goes on`() async throws {
    let test = TestRegistry()
    let first = try await test.publish(key, one)
    let again = ImaginedPublisher(3, token: "one")
    let second = try await test.publish(key, again)
    #expect(one.evictions == 1)
    #expect(second.box === first.box)
    #expect(second.epoch > first.epoch)
    // What the evicted one still does changes nothing.
    await test.registry.release(first)
    #expect(await !test.registry.confirm(first))
    #expect(await test.registry.holder(of: key)?.id == 3)
    #expect(await test.log.opened == [key])
  }

  @Test func `a higher priority takes over, a lower or the same one does not`() async throws {
    let test = TestRegistry()
    _ = try await test.publish(key, ImaginedPublisher(1, token: "a", priority: 5))
    for priority in [4, 5] {
      #expect(
        await refusal(test.registry, ImaginedPublisher(2, token: "b", priority: priority))
          == .taken)
    }
    #expect(
      await refusal(test.registry, ImaginedPublisher(3, token: "c", priority: 6)) == nil)
  }

  @Test(arguments: [nil, Duration.seconds(6)])
  func `a holder that is silent or gone gives way to anybody`(silence: Duration?) async throws {
    let test = TestRegistry()
    _ = try await test.publish(key, one)
    one.fallSilent(for: silence)
    #expect(await refusal(test.registry, two) == nil)
    #expect(one.evictions == 1)
  }

  @Test func `two encoders that push each other out are told to stop`() async throws {
    let test = TestRegistry()
    _ = try await test.publish(key, one)
    for id: UInt64 in 2...5 {
      #expect(await refusal(test.registry, ImaginedPublisher(id, token: "one")) == nil)
    }
    #expect(await refusal(test.registry, ImaginedPublisher(6, token: "one")) == .contested)
    #expect(await test.registry.holder(of: key)?.id == 5)
  }

  @Test func `a fight keeps out neither a higher priority nor the next of a silent holder`()
    async throws
  {
    let test = TestRegistry()
    _ = try await test.publish(key, one)
    for id: UInt64 in 2...5 {
      #expect(await refusal(test.registry, ImaginedPublisher(id, token: "one")) == nil)
    }
    let higher = ImaginedPublisher(7, token: "other", priority: 9)
    #expect(await refusal(test.registry, higher) == nil)
    #expect(
      await refusal(test.registry, ImaginedPublisher(8, token: "other", priority: 9)) == .contested)
    higher.fallSilent(for: .seconds(6))
    #expect(
      await refusal(test.registry, ImaginedPublisher(9, token: "other", priority: 9)) == nil)
  }

  @Test func `a publisher that returns within the window gets the same stream`() async throws {
    let test = TestRegistry()
    let first = try await test.publish(key, one)
    await test.registry.release(first)
    #expect(await test.registry.holder(of: key) == nil)
    #expect(await test.registry.count == 1)
    let second = try await test.publish(key, two)
    #expect(second.box === first.box)
    #expect(await test.log.opened == [key])
  }

  @Test func `after the window the stream ends, and is forgotten a while later`() async throws {
    let test = TestRegistry {
      $0.reconnectWindow = .milliseconds(20)
      $0.afterEnd = .milliseconds(20)
    }
    let claim = try await test.publish(key, one)
    claim.box.stream.begin { _ in }
    claim.box.stream.interrupt()
    #expect(test.board[key]?.state == .waiting)
    await test.registry.release(claim)
    #expect(await eventually { await test.log.closed == [key] })
    #expect(await eventually { await test.registry.count == 0 })
    #expect(test.board[key] == nil)
    let next = try await test.publish(key, one)
    #expect(next.box !== claim.box)
  }

  /// What an origin that is lost said of its grants.
  private func lost(_ number: Int64) -> StreamGrant {
    StreamGrant(epoch: 5, turn: StreamGrant.Turn(run: "lost", number: number))
  }

  @Test(arguments: [true, false])
  func `of two that a lost origin has granted a stream the last one has it`(isSame: Bool)
    async throws
  {
    let test = TestRegistry()
    let early = ImaginedPublisher(1, token: "a")
    let late = ImaginedPublisher(2, token: isSame ? "a" : "b")
    let first = try await test.registry.claim(key, by: early.publisher, lease: 6, resumed: lost(17))
    #expect(await test.registry.confirm(first))
    // Who came last takes it from who was faster here,
    let next = try await test.registry.claim(key, by: late.publisher, lease: 6, resumed: lost(23))
    #expect(await test.registry.confirm(next))
    #expect(early.evictions == 1)
    // and isn't pushed out in turn, however often that is tried,
    for number in [3, 4, 5] as [UInt64] {
      let again = ImaginedPublisher(number, token: "a")
      await #expect(throws: ClaimRefusal.taken) {
        try await test.registry.claim(key, by: again.publisher, lease: 6, resumed: lost(17))
      }
    }
    #expect(late.evictions == 0)
    // unless nothing comes of it any more.
    late.fallSilent(for: nil)
    _ = try await test.registry.claim(key, by: early.publisher, lease: 6, resumed: lost(17))
  }

  @Test func `who came last has it, though it was heard of first here`() async throws {
    let test = TestRegistry()
    let early = ImaginedPublisher(2, token: "a")
    let late = ImaginedPublisher(1, token: "a")
    _ = try await test.registry.claim(key, by: early.publisher, lease: 6, resumed: lost(17))
    // The backend took its time.
    _ = try await test.registry.claim(key, by: late.publisher, lease: 6, resumed: lost(23))
    #expect(early.evictions == 1)
  }

  @Test func `a publisher that goes on takes nothing from one that has come since`() async throws {
    let test = TestRegistry()
    let old = ImaginedPublisher(1, token: "a")
    let first = try await test.registry.claim(key, by: old.publisher, lease: 6)
    let had = StreamGrant(epoch: 6, turn: first.turn)
    // Its connection broke off, and it comes by another one.
    let same = ImaginedPublisher(2, token: "a")
    let second = try await test.registry.claim(key, by: same.publisher, lease: 6, resumed: had)
    #expect(await test.registry.confirm(second))
    #expect(old.evictions == 1)
    // The encoder itself connects anew, by another edge.
    let anew = ImaginedPublisher(3, token: "a")
    let third = try await test.registry.claim(key, by: anew.publisher, lease: 6)
    #expect(await test.registry.confirm(third))
    #expect(same.evictions == 1)
    for grant in [had, StreamGrant(epoch: 6, turn: second.turn), StreamGrant(epoch: 5)] {
      let late = ImaginedPublisher(4, token: "a")
      await #expect(throws: ClaimRefusal.taken) {
        try await test.registry.claim(key, by: late.publisher, lease: 6, resumed: grant)
      }
    }
    #expect(anew.evictions == 0)
    // An edge of an earlier version doesn't say which grant it was.
    let unknown = ImaginedPublisher(5, token: "a")
    _ = try await test.registry.claim(
      key, by: unknown.publisher, lease: 6, resumed: StreamGrant(epoch: 6))
    #expect(anew.evictions == 1)
  }

  @Test func `a stream that is over goes on for a publisher that comes before it is forgotten`()
    async throws
  {
    let test = TestRegistry { $0.reconnectWindow = .milliseconds(20) }
    let claim = try await test.publish(key, one)
    claim.box.stream.begin { _ in }
    claim.box.stream.interrupt()
    await test.registry.release(claim)
    #expect(await eventually { test.board[key]?.state == .ended })
    #expect(await eventually { await test.registry.count == 0 })
    let next = try await test.publish(key, two)
    #expect(next.box === claim.box)
    next.box.stream.begin { _ in }
    #expect(test.board[key]?.state == .live)
    #expect(await test.registry.count == 1)
    #expect(await test.log.closed.isEmpty)
  }

  @Test func `a stream that is over and whose next publisher is refused stays over`()
    async throws
  {
    let test = TestRegistry {
      $0.reconnectWindow = .milliseconds(10)
      // The next one has to come in it.
      $0.afterEnd = .seconds(2)
    }
    let claim = try await test.publish(key, one)
    claim.box.stream.begin { _ in }
    claim.box.stream.interrupt()
    await test.registry.release(claim)
    #expect(await eventually { test.board[key]?.state == .ended })
    let refused = try await test.registry.claim(key, by: two.publisher)
    await test.registry.release(refused)
    #expect(await test.registry.count == 0)
    #expect(await eventually { await test.log.closed == [key] })
  }

  @Test func `a claim that is never confirmed leaves no trace`() async throws {
    let test = TestRegistry()
    let claim = try await test.registry.claim(key, by: one.publisher)
    #expect(await test.registry.count == 1)
    await test.registry.release(claim)
    #expect(await test.registry.count == 0)
    #expect(await test.log.closed == [key])
    #expect(await !test.registry.confirm(claim))
  }

  @Test func `streams are limited in number, also while they are being opened`() async throws {
    let test = TestRegistry { $0.streams = 2 }
    await test.log.hold()
    let registry = test.registry
    let granted = await withTaskGroup(of: Bool.self) { group in
      for index in 0..<8 {
        group.addTask {
          let publisher = ImaginedPublisher(UInt64(index), token: "t\(index)")
          do throws(ClaimRefusal) {
            _ = try await registry.claim(.named("w\(index)"), by: publisher.publisher)
            return true
          } catch {
            #expect(error == .full)
            return false
          }
        }
      }
      #expect(await eventually { await test.log.opened.count == 2 })
      await test.log.letGo()
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(granted == 2)
    #expect(await test.registry.count == 2)
  }

  @Test func `where memory is short nobody new is taken, and who returns is`() async throws {
    let memory = StreamMemory(limitBytes: 1_000)
    let test = TestRegistry(memory: memory)
    let claim = try await test.publish(key, one)
    memory.changed(from: 0, to: 800)
    await test.registry.release(claim)
    await #expect(throws: ClaimRefusal.noMemory) {
      _ = try await test.registry.claim(.named("other"), by: two.publisher)
    }
    _ = try await test.publish(key, one)
    memory.changed(from: 800, to: 700)
    _ = try await test.publish(.named("other"), two)
  }

  @Test func `a stream that is over counts no more, and is counted again when it goes on`()
    async throws
  {
    let test = TestRegistry {
      $0.streams = 1
      $0.reconnectWindow = .milliseconds(10)
    }
    let claim = try await test.publish(key, one)
    claim.box.stream.begin { _ in }
    claim.box.stream.interrupt()
    await test.registry.release(claim)
    #expect(await eventually { await test.registry.count == 0 })
    _ = try await test.registry.claim(.named("other"), by: two.publisher)
    #expect(await refusal(test.registry, one) == .full)
  }

  @Test func `of many claims of one stream at once exactly one wins`() async throws {
    let test = TestRegistry()
    let registry = test.registry
    let key = key
    let winners = await withTaskGroup(of: [UInt64].self) { group in
      for id: UInt64 in 1...200 {
        group.addTask {
          let publisher = ImaginedPublisher(id, token: "t\(id)")
          let claim = try? await registry.claim(key, by: publisher.publisher)
          return claim == nil ? [] : [id]
        }
      }
      return await group.reduce([], +)
    }
    #expect(winners.count == 1)
    #expect(await test.registry.holder(of: key)?.id == winners.first)
    #expect(await test.log.opened == [key])
  }

  @Test func `claims and releases in any order end with one holder or none`() async throws {
    let test = TestRegistry { $0.reconnectWindow = .milliseconds(1) }
    let registry = test.registry
    let key = key
    await withTaskGroup { group in
      for id: UInt64 in 1...100 {
        group.addTask {
          let publisher = ImaginedPublisher(id, token: "t\(id % 7)")
          guard let claim = try? await registry.claim(key, by: publisher.publisher) else { return }
          if id % 3 > 0 { _ = await registry.confirm(claim) }
          if id % 2 > 0 { await Task.yield() }
          await registry.release(claim)
        }
      }
    }
    #expect(await registry.holder(of: key) == nil)
    #expect(await eventually { await registry.count == 0 })
  }

  @Test func `a stream is opened again only when it has been closed`() async throws {
    let test = TestRegistry()
    let claim = try await test.registry.claim(key, by: one.publisher)
    await test.log.hold()
    let registry = test.registry
    let key = key
    let two = two
    async let released: Void = registry.release(claim)
    #expect(await eventually { await test.log.closed == [key] })
    async let next = registry.claim(key, by: two.publisher)
    // The claim has had every chance to go on, had nothing kept it.
    for _ in 0..<20 { await Task.yield() }
    #expect(await test.log.opened == [key])
    await test.log.letGo()
    await released
    #expect(try await next.key == key)
    #expect(await test.log.opened == [key, key])
  }
}
