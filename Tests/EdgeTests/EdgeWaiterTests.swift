import BlockingSupport
import EventLoop
import HTTPTypes
import Synchronization
import Testing

@testable import Edge

@Suite(.blocking) struct `Those who wait for one answer` {
  /// Who was told, in that order.
  private final class Told: Sendable {
    private let all = Mutex<[Int]>([])

    func note(_ number: Int) { all.withLock { $0.append(number) } }
    var numbers: [Int] { all.withLock { $0 } }
  }

  private func waiters(_ mailbox: LoopMailbox?, _ told: Told) -> [EdgeWaiter] {
    (0..<100).map { number in
      EdgeWaiter(mailbox: mailbox) { answer in
        guard case .alone = answer else { return }
        told.note(number)
      }
    }
  }

  @Test func `are told by one mail to their loop, in the order in which they came`() async throws {
    let group = try LoopGroup(count: 1)
    defer { group.stop() }
    let told = Told()
    let mailbox = group.mailboxes[0]
    let before = try await mailbox.run { $0.counters.mail }
    EdgeWaiter.tell(waiters(mailbox, told), .alone)
    // The second of two is the question itself.
    #expect(try await mailbox.run { $0.counters.mail } == before + 2)
    #expect(told.numbers == Array(0..<100))
  }

  @Test func `get what an origin has said by one mail, and who asked first by another`()
    async throws
  {
    let edge = try EdgeNode()
    let name = "manywholeadnowhere"
    // All have asked before it answers.
    try await edge.set(name, "cc=max-age%3D60&size=100&delay=1")
    let group = try LoopGroup(count: 1)
    defer { group.stop() }
    let mailbox = group.mailboxes[0]
    let told = Told()
    let before = try await mailbox.run { $0.counters.mail }
    let request = HTTPRequest(
      method: .get, scheme: "https", authority: "edge", path: "/o/\(name)")
    for number in 0..<100 {
      edge.proxy.ask(request, name: "edge/o/\(name)", isShared: true, on: mailbox) { answer in
        guard case .filling(_, let isJoined) = answer, isJoined == (number > 0) else { return }
        told.note(number)
      }
    }
    #expect(try await edge.eventually { told.numbers.count == 100 })
    #expect(try await mailbox.run { $0.counters.mail } == before + 3)
    #expect(told.numbers == Array(0..<100))
    #expect(try await edge.count(name) == 1)
  }

  @Test func `are told at once where it may be anywhere`() {
    let told = Told()
    EdgeWaiter.tell(waiters(nil, told), .alone)
    #expect(told.numbers == Array(0..<100))
  }

  @Test func `are in one place where they are on one loop`() throws {
    let group = try LoopGroup(count: 2)
    defer { group.stop() }
    let told = Told()
    let places = group.mailboxes.map { waiters($0, told).map(\.place) }
    #expect(places.map { Set($0).count } == [1, 1])
    #expect(places[0][0] != places[1][0])
    #expect(waiters(nil, told)[0].place == nil)
  }
}
