import ControlAPI
import Foundation
import HLS
import Access
import Media
import RTMP
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Origin

@Suite struct `Processes before this one` {
  private let key = StreamKey.named("w")
  private let one = ImaginedPublisher(1, token: "one")

  private func other(_ token: String, priority: Int = 0) -> Publisher {
    ImaginedPublisher(.max, token: token, priority: priority).publisher
  }

  @Test func `a stream is left to who may take it over, and to nobody else`() async throws {
    let test = TestRegistry()
    _ = try await test.publish(key, one)
    await #expect(throws: ClaimRefusal.taken) {
      _ = try await test.registry.yield(key, to: other("two"))
    }
    #expect(one.evictions == 0)
    #expect(try await test.registry.yield(key, to: other("one")) != nil)
    #expect(one.evictions == 1)
    #expect(await test.registry.holder(of: key) == nil)
    #expect(test.board.liveCount == 0)
  }

  @Test func `one that waits is left to anybody, and one that isn't there is nothing`()
    async throws
  {
    let test = TestRegistry { $0.afterYield = .zero }
    #expect(try await test.registry.yield(key, to: other("two")) == nil)
    let claim = try await test.publish(key, one)
    await test.registry.release(claim)
    #expect(try await test.registry.yield(key, to: other("two")) != nil)
    // It is gone a while later, without an end for those who watch it.
    while await test.log.closed.isEmpty { await Task.yield() }
    #expect(await test.log.closed == [key])
  }

  @Test func `a stream is left once, and nobody has it here after that`() async throws {
    let test = TestRegistry()
    _ = try await test.publish(key, one)
    #expect(try await test.registry.yield(key, to: other("one")) != nil)
    // Its publisher comes back to the other process, which has brought it on since.
    #expect(try await test.registry.yield(key, to: other("one")) == nil)
    await #expect(throws: ClaimRefusal.unavailable) {
      _ = try await test.publish(key, ImaginedPublisher(2, token: "one"))
    }
  }

  @Test func `nobody on the air is pushed off by who isn't admitted`() async throws {
    let test = TestRegistry()
    _ = try await test.publish(key, one)
    await #expect(throws: ClaimRefusal.onAir) {
      _ = try await test.registry.yield(key, to: other("one"), isAdmitted: false)
    }
    #expect(one.evictions == 0)
    #expect(try await test.registry.yield(key, to: other("one"), isAdmitted: true) != nil)
  }

  /// A leasing whose elders, by their processes, give answers to each order.
  private func leasing(
    book: ElderBook = ElderBook(), heard: WindowState? = nil,
    _ elders: [Int32: @Sendable (ElderOrder) -> ElderAnswer?]
  ) -> StreamLeasing {
    let hands = ElderHands(
      tally: ElderTally(MetricRegistry()), book: book, statuses: { [] },
      processes: {
        elders.sorted { $0.key > $1.key }.map { id, answer in
          ElderHands.Process(
            id: id, ask: { answer($0) }, fetch: { _, _ in nil }, isGone: { false })
        }
      }, heard: { _ in heard })
    return .elders({ hands }, process: 9)
  }

  private func leasing(_ answer: ElderAnswer) -> StreamLeasing { leasing([2: { _ in answer }]) }

  private func outcome(_ leasing: StreamLeasing) async -> StreamLeasing.Outcome {
    await leasing.acquire(StreamLeasing.Wish(key: key, priority: 0)) {}
  }

  @Test func `what was granted here before is not brought on by what is heard of it later`() async {
    let left = ElderAnswer.Progress(state: WindowState(nextSequence: 7))
    let leasing = leasing(ElderAnswer(count: 1, progress: left))
    guard case .granted(let after?, wasOurs: false, _, _, _) = await outcome(leasing) else {
      Issue.record("not left")
      return
    }
    #expect(after.state.nextSequence == 7)
    guard case .granted(nil, wasOurs: true, _, _, _) = await outcome(leasing) else {
      Issue.record("left once more")
      return
    }
  }

  @Test func `who says nothing may have the stream`() async {
    guard case .refused(let words) = await outcome(leasing(.missing)) else {
      Issue.record("granted")
      return
    }
    #expect(words.contains("try again"))
    let onAir = ElderAnswer(refusal: .init(APIError(409, ElderAnswer.Refusal.onAir, "taken")))
    guard case .onAir("taken") = await outcome(leasing(onAir)) else {
      Issue.record("the backend isn't asked")
      return
    }
  }

  @Test func `what one has left is not forgotten where another one has yet to answer`() async {
    let left = ElderAnswer.Progress(state: WindowState(nextSequence: 7))
    let asked = Mutex(0)
    let waited = Mutex(0)
    let leasing = leasing([
      // It is said once.
      2: { _ in
        asked.withLock { count in
          count += 1
          return ElderAnswer(count: 1, progress: count == 1 ? left : nil)
        }
      },
      // Both are asked at once, so each counts by itself.
      1: { _ in
        waited.withLock { count in
          count += 1
          return count < 3 ? .missing : nil
        }
      },
    ])
    for _ in 1...2 {
      guard case .refused = await outcome(leasing) else {
        Issue.record("granted")
        return
      }
    }
    guard case .granted(let after?, wasOurs: false, _, _, _) = await outcome(leasing) else {
      Issue.record("forgotten")
      return
    }
    #expect(after.state.nextSequence == 7)
  }

  @Test func `a stream of one that was killed goes on behind what viewers had of it, once`() async {
    let heard = WindowState(nextSequence: 9, discontinuitySequence: 1)
    for elders: [Int32: @Sendable (ElderOrder) -> ElderAnswer?] in [
      [:], [1: { _ in ElderAnswer() }],
    ] {
      let leasing = leasing(heard: heard, elders)
      guard case .granted(let after?, wasOurs: false, _, _, _) = await outcome(leasing) else {
        Issue.record("begun anew")
        return
      }
      #expect(after.state == heard)
      guard case .granted(nil, wasOurs: true, _, _, _) = await outcome(leasing) else {
        Issue.record("heard once more")
        return
      }
    }
    let left = ElderAnswer.Progress(state: WindowState(nextSequence: 12))
    let leasing = leasing(heard: heard, [2: { _ in ElderAnswer(count: 1, progress: left) }])
    guard case .granted(let after?, _, _, _, _) = await outcome(leasing) else {
      Issue.record("not left")
      return
    }
    #expect(after.state == left.state)
  }

  @Test func `each is told of cameras that aren't its own`() async {
    let book = ElderBook()
    book.take(
      [ElderCamera(key: .named("w", "a"), isLive: true), ElderCamera(key: .named("w", "c"))],
      programs: [], of: 1)
    book.take([ElderCamera(key: .named("w", "b"), isLive: true)], programs: [], of: 2)
    let told = Mutex<[Int32: [String]]>([:])
    @Sendable func note(_ order: ElderOrder, by process: Int32) -> ElderAnswer {
      switch order {
      case .watchProgram(_, let cameras, _), .yield(_, _, _, _, let cameras?):
        told.withLock { $0[process] = cameras.live }
      default: break
      }
      return ElderAnswer(count: 1)
    }
    let elders: [Int32: @Sendable (ElderOrder) -> ElderAnswer?] = [
      1: { note($0, by: 1) }, 2: { note($0, by: 2) },
    ]
    let leasing = leasing(book: book, elders)
    // What the first one had of `c` is here by now.
    let live: Set = ["a", "b", "c"]
    #expect(await leasing.watch?(.named("w", "program"), live) == true)
    #expect(told.withLock { $0 } == [1: ["b", "c"], 2: ["a", "c"]])
    told.withLock { $0 = [:] }
    _ = await leasing.acquire(
      StreamLeasing.Wish(key: .named("w", "program"), priority: 0, live: live)
    ) {}
    #expect(told.withLock { $0 } == [1: ["b", "c"], 2: ["a", "c"]])
  }

  @Test func `a program's cameras are read from processes of before, which read them, too`() throws
  {
    let state = WindowState(nextSequence: 7)
    struct Before: Codable {
      var state: WindowState
      var names: [String]
    }
    let read = { try JSONDecoder().decode(ElderAnswer.Progress.self, from: $0) }
    let old = try read(try JSONEncoder().encode(Before(state: state, names: ["b", "a"])))
    #expect(old == ElderAnswer.Progress(state: state, camera: "a", chosen: "b"))
    let none = try read(try JSONEncoder().encode(Before(state: state, names: [])))
    #expect(none == ElderAnswer.Progress(state: state))
    for progress in [old, none] {
      let json = try JSONEncoder().encode(progress)
      #expect(try read(json) == progress)
      let names = try JSONDecoder().decode(Before.self, from: json).names
      #expect(names == (progress.camera == nil ? [] : ["b", "a"]))
    }
  }

  @Test func `an answer is read as it was written`() throws {
    let answer = ElderAnswer(
      count: 1, recordings: ["a"],
      progress: .init(
        state: WindowState(
          nextSequence: 1 << 40, discontinuitySequence: 2, targetDuration: 4,
          endTime: MediaTime(ticks: -5), endDate: 1_800_000_000_000), camera: "a", chosen: "b",
        shown: ShownPlace(camera: "a", sequence: 1 << 41),
        broadcast: Broadcast(began: 1_799_999_000_000, last: 1_800_000_000_000)))
    #expect(ElderAnswer.read(Array(try JSONEncoder().encode(answer))) == answer)
    #expect(ElderAnswer.read([]) == nil)
    #expect(ElderAnswer.read(Array(repeating: UInt8(ascii: "["), count: 9)) == nil)
  }

  @Test(arguments: [
    WindowState(nextSequence: -1), WindowState(nextSequence: .min),
    WindowState(nextSequence: .max), WindowState(discontinuitySequence: -1),
    WindowState(discontinuitySequence: .max), WindowState(targetDuration: -1),
    WindowState(endTime: MediaTime(ticks: .max)), WindowState(endTime: MediaTime(ticks: .min)),
    WindowState(endDate: .max),
  ])
  func `numbers that no stream has are no answer`(state: WindowState) throws {
    let answer = ElderAnswer(progress: .init(state: state))
    #expect(ElderAnswer.read(Array(try JSONEncoder().encode(answer))) == nil)
  }

  @Test(arguments: [-1, .max, .min]) func `neither are counts, and places`(count: Int) throws {
    let answer = ElderAnswer(count: count)
    #expect(ElderAnswer.read(Array(try JSONEncoder().encode(answer))) == nil)
    let shown = ShownPlace(camera: "a", sequence: count)
    let left = ElderAnswer(progress: .init(state: WindowState(), shown: shown))
    #expect(ElderAnswer.read(Array(try JSONEncoder().encode(left))) == nil)
    let broadcast = Broadcast(began: Int64(count), last: .max)
    let told = ElderAnswer(progress: .init(state: WindowState(), broadcast: broadcast))
    #expect(ElderAnswer.read(Array(try JSONEncoder().encode(told))) == nil)
  }

  /// Wishes, answered that somebody is on air until the newcomer is admitted.
  private final class Wishes: Sendable {
    private let all = Mutex<[Bool]>([])
    var wereAdmitted: [Bool] { all.withLock { $0 } }

    var leasing: StreamLeasing {
      StreamLeasing(
        acquire: { wish, _ in
          self.all.withLock { $0.append(wish.isAdmitted) }
          return wish.isAdmitted ? .granted(after: nil) : .onAir("on air")
        }, release: { _, _ in true }, publish: { _, _ in })
    }
  }

  @Test func `the backend is asked before somebody elsewhere is pushed off the air`() async throws {
    let backend = TestBackend()
    let wishes = Wishes()
    let node = try await TestNode(hooks: backend.publishHooks, leasing: wishes.leasing)
    await backend.hold()
    let refused = try await node.connect(.publish, try node.token())
    #expect(await eventually { await backend.asked.count == 1 })
    #expect(wishes.wereAdmitted == [false])
    await backend.answer(await backend.asked[0], Refusal(.byBackend(status: 403)))
    #expect(await eventually { await refused.state.isOver })
    #expect(wishes.wereAdmitted == [false])
    let admitted = try await node.connect(.publish, try node.token())
    #expect(await eventually { await backend.asked.count == 2 })
    await backend.answer(await backend.asked[1])
    #expect(await eventually { await node.node.registry.holder(of: key) != nil })
    #expect(wishes.wereAdmitted == [false, false, true])
    // It was asked once.
    #expect(await backend.asked.count == 2)
    await admitted.vanish()
  }

  @Test func `one that is too many here is not asked for elsewhere`() async throws {
    let wishes = Wishes()
    let node = try await TestNode(leasing: wishes.leasing) { $0.maximumStreams = 0 }
    let refused = try await node.connect(.publish, try node.token())
    #expect(await eventually { await refused.state.isOver })
    #expect(wishes.wereAdmitted == [])
  }

  @Test func `what one has sent counts when it has ended, and all else no longer`() {
    let tally = ElderTally(MetricRegistry())
    func status(_ process: Int32, _ bytes: UInt64) -> NodeStatus {
      NodeStatus(
        node: "n", version: "1", pid: process, rtmpConnections: 1,
        traffic: TrafficStatus(bytesOut: bytes, bitsOutPerSecond: 8),
        streams: [StreamStatus(wedding: "w\(process)")])
    }
    tally.note([status(1, 10), status(2, 5)])
    #expect(tally.sum.processes == 2)
    #expect(tally.sum.streams == 2)
    tally.note([status(2, 7)])
    #expect(tally.sum.traffic == TrafficStatus(bytesOut: 17, bitsOutPerSecond: 8))
    #expect(tally.sum.streams == 1)
    // One that was only slow to answer counts once.
    tally.note([status(1, 12), status(2, 7)])
    #expect(tally.sum.traffic.bytesOut == 19)
    tally.note([])
    #expect(tally.sum.traffic == TrafficStatus(bytesOut: 19))
    #expect(tally.sum.rtmpConnections == 0)
  }

  @Test func `sums of what can't be stay sums`() {
    let tally = ElderTally(MetricRegistry())
    tally.note(
      (1...2).map {
        NodeStatus(
          node: "n", version: "1", pid: $0, rtmpConnections: .max, httpConnections: .min,
          traffic: TrafficStatus(bytesIn: .max, bitsInPerSecond: .max))
      })
    #expect(tally.sum.rtmpConnections == 2 * Int(Int32.max))
    #expect(tally.sum.httpConnections == 0)
    #expect(tally.sum.traffic == TrafficStatus(bytesIn: 1 << 54, bitsInPerSecond: 1 << 54))
  }

  @Test func `orders are read as they were written, and what names no stream is none`() throws {
    let orders: [ElderOrder] = [
      .yield(key, token: [1, 2], priority: 3, isAdmitted: true),
      .drop(StreamControl.Selection(kind: .client, clientID: 7)),
      .stopRecording(wedding: "w", camera: "main"), .refreshCameras(wedding: "w"),
    ]
    for order in orders {
      let json = try JSONEncoder().encode(order)
      #expect(try JSONDecoder().decode(ElderOrder.self, from: json) == order)
    }
    let bad = #"{"yield":{"_0":"../main","token":[],"priority":0,"isAdmitted":true}}"#
    #expect(throws: DecodingError.self) {
      _ = try JSONDecoder().decode(ElderOrder.self, from: Data(bad.utf8))
    }
  }
}
