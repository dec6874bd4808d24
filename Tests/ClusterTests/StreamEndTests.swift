import BlockingSupport
import RedisSupport
import Synchronization
import Testing

@testable import Cluster

@Suite(.blocking, .timeLimit(.minutes(2))) struct `Ends of streams` {
  /// What a node was told to tell.
  private struct Told: Equatable, Sendable {
    let stream: StreamID
    let isLeft: Bool
    var node = ""
  }

  /// A node that tells ends, until it is dropped.
  private final class Teller: Sendable {
    let node: TestNode
    private let task: Task<Void, Never>

    init(_ node: TestNode, _ told: Signal<Told>, hangs: Bool = false) {
      self.node = node
      task = Task { [cluster = node.cluster, name = node.id.text] in
        await cluster.tellEnds { stream, isLeft in
          told.send(Told(stream: stream, isLeft: isLeft, node: name))
          // Longer than any test; cut short by the end of the task.
          if hangs { try? await Task.sleep(for: .seconds(3_600)) }
        }
      }
    }

    deinit { task.cancel() }

    func die() async {
      task.cancel()
      await task.value
      await node.halt()
    }
  }

  private static var settings: ClusterConfiguration {
    var settings = TestNode.quick
    settings.lease = .seconds(1)
    settings.reconnectWindow = .milliseconds(500)
    settings.endsEvery = .milliseconds(50)
    settings.suspectLimit = .milliseconds(100)
    return settings
  }

  private let server: RedisServerProcess

  init() throws { server = try RedisServerProcess() }

  private func node(
    _ name: String, _ settings: ClusterConfiguration = settings, probe: PeerProbe? = nil
  ) throws -> TestNode {
    try TestNode(name, server, configuration: settings, probe: probe)
  }

  /// A stream that somebody publishes at a node, as Redis knows.
  private func publish(_ id: StreamID, at node: TestNode) async throws -> Lease {
    let lease = try #require(try await node.cluster.leases.claim(id) { _ in }.lease)
    node.cluster.leases.goOnAir(lease)
    try await node.cluster.leases.refresh(lease)
    return lease
  }

  private func listed() throws -> [Substring] {
    try server.ask("zrange", "wl:ends", "0", "-1").split(separator: "\n")
  }

  private func isNoted(_ id: StreamID) throws -> Bool {
    try server.ask("hget", id.key, "told") == "1\n"
  }

  /// A publisher asks for a stream, and is not admitted.
  private func refuse(_ id: StreamID, at node: TestNode) async throws {
    let lease = try #require(try await node.cluster.leases.claim(id) { _ in }.lease)
    await node.cluster.leases.release(lease)
  }

  /// An end is told by a node that can't ask Redis just then.
  private func tellBlindly(_ id: StreamID, at node: TestNode) async throws {
    let ends = node.cluster.ends
    let question = Task {
      try? await Task.sleep(for: .seconds(3_600))
      do throws(ClusterError) { _ = try await ends.isAnothers(id, beyond: 0) } catch { return true }
      return false
    }
    // Redis does nothing for one that is cancelled.
    question.cancel()
    let isTold = await question.value
    try #require(isTold)
    ends.told(id)
  }

  private func looked(_ result: String, _ node: TestNode) -> Int {
    node.metric("wedlive_cluster_ends_total{result=\"\(result)\"}")
  }

  @Test func `that of one whose node is lost is told by one of the others`() async throws {
    let (lost, one, two) = (try node("lost"), try node("one"), try node("two"))
    let (id, other) = (try stream(), try stream("w2/main"))
    _ = try await publish(id, at: lost)
    // This one lives all the time.
    _ = try await publish(other, at: one)
    await lost.halt()
    let told = Signal<Told>()
    let tellers = [Teller(one, told), Teller(two, told)]
    let first = try #require(await told.next())
    #expect(first.stream == id && !first.isLeft)
    // What follows is told once as well, and this isn't told again: it is noted, and looked at no
    // more.
    try await wait { try listed() == ["w2/main"] }
    #expect(try isNoted(id))
    #expect(looked("told", one) + looked("told", two) == 1)
    withExtendedLifetime(tellers) {}
  }

  @Test func `one that was given up ends once it is due, and one that was never aired does not`()
    async throws
  {
    let (lost, one) = (try node("lost"), try node("one"))
    let (left, refused) = (try stream(), try stream("w2/main"))
    await lost.cluster.leases.release(try await publish(left, at: lost))
    let lease = try #require(try await lost.cluster.leases.claim(refused) { _ in }.lease)
    await lost.cluster.leases.release(lease)
    await lost.halt()
    let told = Signal<Told>()
    let teller = Teller(one, told)
    #expect(await told.next() == Told(stream: left, isLeft: true, node: "one"))
    try await wait { try listed().isEmpty }
    #expect(looked("told", one) == 1)
    withExtendedLifetime(teller) {}
  }

  @Test func `it is told by another one where who was to tell it dies`() async throws {
    var settings = Self.settings
    settings.endTelling = .seconds(2)
    let (lost, one, two) = (
      try node("lost"), try node("one", settings), try node("two", settings)
    )
    let id = try stream()
    _ = try await publish(id, at: lost)
    await lost.halt()
    let told = Signal<Told>()
    let dying = Teller(one, told, hangs: true)
    #expect(await told.next()?.node == "one")
    await dying.die()
    let living = Teller(two, told)
    #expect(await told.next() == Told(stream: id, isLeft: false, node: "two"))
    withExtendedLifetime(living) {}
  }

  @Test func `it is not told while a node answers that can't reach Redis`() async throws {
    let answers = Mutex(true)
    let probe = PeerProbe { record, _ in
      record.id.text == "cut" && !answers.withLock { $0 } ? .none("gone") : .well
    }
    let (cut, one) = (try node("cut", probe: probe), try node("one", probe: probe))
    let id = try stream()
    _ = try await publish(id, at: cut)
    await one.sees { $0[cut.id] != nil }
    await cut.halt()
    let told = Signal<Told>()
    let teller = Teller(one, told)
    try await wait { looked("kept", one) > 1 }
    #expect(looked("told", one) == 0)
    answers.withLock { $0 = false }
    #expect(await told.next()?.stream == id)
    withExtendedLifetime(teller) {}
  }

  @Test func `nor while an edge has its publisher`() async throws {
    var settings = Self.settings
    settings.reconnectWindow = .seconds(600)
    let (lost, one) = (try node("lost"), try node("one"))
    let edge = try node("edge", settings)
    let (id, other) = (try stream(), try stream("w2/main"))
    for each in [id, other] { _ = try await publish(each, at: lost) }
    await edge.cluster.ends.note([id])
    await lost.halt()
    let told = Signal<Told>()
    let teller = Teller(one, told)
    #expect(await told.next()?.stream == other)
    try await wait { try listed() == ["w1/main"] }
    withExtendedLifetime(teller) {}
  }

  @Test func `one that goes on under the next lease has not ended`() async throws {
    let (lost, one) = (try node("lost"), try node("one"))
    let (id, other) = (try stream(), try stream("w2/main"))
    for each in [id, other] { _ = try await publish(each, at: lost) }
    await lost.halt()
    var next: Lease?
    while next == nil { next = try await one.cluster.leases.claim(id) { _ in }.lease }
    let told = Signal<Told>()
    let teller = Teller(one, told)
    #expect(await told.next()?.stream == other)
    let lease = try #require(next)
    #expect(lease.isHeld)
    // When that one has gone without being admitted, the end of the one before is told.
    await one.cluster.leases.release(lease)
    #expect(await told.next() == Told(stream: id, isLeft: false, node: "one"))
    withExtendedLifetime(teller) {}
  }

  @Test func `the end is for who has had it on the air last, and is told once`() async throws {
    let (one, two) = (try node("one", TestNode.quick), try node("two", TestNode.quick))
    let id = try stream()
    /// Whether it is another's for a node that has left it behind its segment 7.
    func isAnothers(_ node: TestNode) async throws -> Bool? {
      try await node.cluster.ends.isAnothers(id, beyond: 7)
    }
    #expect(try await isAnothers(one) == nil)
    let lease = try await publish(id, at: one)
    try await one.cluster.leases.publish(StreamHead(sequence: 7), of: lease)
    #expect(try await isAnothers(two) == true)
    await one.cluster.leases.release(lease)
    // Another has it for a moment, and its backend refuses the publisher.
    let refused = try #require(try await two.cluster.leases.claim(id) { _ in }.lease)
    #expect(try await isAnothers(one) == true)
    await two.cluster.leases.release(refused)
    #expect(try await isAnothers(one) == false)
    // Who is to tell it is so where it asks again, and nobody else.
    #expect(try await isAnothers(one) == false)
    #expect(try await isAnothers(two) == true)
    // Then one has it on the air that makes no segment, and one that does.
    for sequence: Int64? in [nil, 8] {
      let next = try await publish(id, at: two)
      #expect(try await isAnothers(one) == true)
      if let sequence {
        try await two.cluster.leases.publish(StreamHead(sequence: sequence), of: next)
      }
      await two.cluster.leases.release(next)
      #expect(try await isAnothers(one) == true)
      #expect(try await isAnothers(two) == false)
    }
    // The next process of a node has its name.
    await two.halt()
    let after = try node("two", TestNode.quick)
    _ = try await publish(id, at: after)
    #expect(try await isAnothers(two) == true)
  }

  @Test func `one that was told while Redis was away is told once`() async throws {
    let (lost, one) = (try node("lost"), try node("one"))
    let id = try stream()
    await lost.cluster.leases.release(try await publish(id, at: lost))
    try await tellBlindly(id, at: lost)
    let told = Signal<Told>()
    let teller = Teller(lost, told)
    try await wait { try isNoted(id) }
    try await wait { try listed().isEmpty }
    #expect(try await one.cluster.ends.isAnothers(id, beyond: 0) == true)
    withExtendedLifetime(teller) {}
  }

  @Test func `who is refused while an end is told doesn't have it told again`() async throws {
    let (lost, one, two) = (try node("lost"), try node("one"), try node("two"))
    let (id, other) = (try stream(), try stream("w2/main"))
    let lease = try await publish(id, at: one)
    _ = try await publish(other, at: lost)
    await one.cluster.leases.release(lease)
    #expect(try await one.cluster.ends.isAnothers(id, beyond: 0) == false)
    one.cluster.ends.told(id)
    // The encoder is back by then, here and elsewhere, and is to do without its stream.
    for node in [one, two] { try await refuse(id, at: node) }
    await lost.halt()
    let told = Signal<Told>()
    let tellers = [Teller(one, told), Teller(two, told)]
    #expect(await told.next()?.stream == other)
    try await wait { try listed().isEmpty }
    #expect(looked("told", one) + looked("told", two) == 1)
    try await refuse(id, at: two)
    #expect(try await one.cluster.ends.isAnothers(id, beyond: 0) == true)
    withExtendedLifetime(tellers) {}
  }

  @Test func `who is refused again and again puts no end off`() async throws {
    let (lost, one) = (try node("lost"), try node("one"))
    let id = try stream()
    _ = try await publish(id, at: lost)
    await lost.halt()
    let told = Signal<Told>()
    let teller = Teller(one, told)
    let encoder = Task {
      while !Task.isCancelled {
        // Before the node is known to be gone the stream is its.
        if let lease = try await one.cluster.leases.claim(id, onLoss: { _ in }).lease {
          await one.cluster.leases.release(lease)
        }
        try await Task.sleep(for: .milliseconds(100))
      }
    }
    #expect(await told.next() == Told(stream: id, isLeft: false, node: "one"))
    encoder.cancel()
    _ = await encoder.result
    withExtendedLifetime(teller) {}
  }

  @Test(arguments: [true, false])
  func `who is back before an end is noted has one of its own`(isBlind: Bool) async throws {
    let one = try node("one")
    let id = try stream()
    await one.cluster.leases.release(try await publish(id, at: one))
    if isBlind {
      try await tellBlindly(id, at: one)
    } else {
      #expect(try await one.cluster.ends.isAnothers(id, beyond: 0) == false)
      one.cluster.ends.told(id)
    }
    await one.cluster.leases.release(try await publish(id, at: one))
    let told = Signal<Told>()
    let teller = Teller(one, told)
    #expect(await told.next() == Told(stream: id, isLeft: true, node: "one"))
    try await wait { try listed().isEmpty }
    withExtendedLifetime(teller) {}
  }

  @Test(arguments: ["\\", "w/../../x", "w/program", "w1/main"])
  func `what stands there that is no stream's is dropped`(text: String) async throws {
    let one = try node("one")
    _ = try server.ask("zadd", "wl:ends", "1", text)
    let told = Signal<Told>()
    let teller = Teller(one, told)
    try await wait { try listed().isEmpty }
    #expect(looked("told", one) == 0)
    withExtendedLifetime(teller) {}
  }
}
