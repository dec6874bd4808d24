import ControlAPI
import EventLoop
import Synchronization
import TestSupport
import Viewers
import Events
import HLS
import Media
import RTMP
import Testing

@testable import Origin

@Suite struct `Programs, each` {
  @Test func `it shows the first camera, then the one that is chosen`() async throws {
    let test = try TestProgram()
    test.open()
    test.tell(.began, "a")
    test.tell(.began, "b")
    #expect(test.status?.active == nil)
    for _ in 1...3 { test.segments("a", "b") }
    #expect(test.status?.active == "a")
    #expect(test.playlist?.entries.count == 3)
    test.program?.choose("b")
    #expect(test.status?.active == "b")
    for _ in 1...2 { test.segments("a", "b") }
    let playlist = try #require(test.playlist)
    #expect(playlist.entries.map(\.isDiscontinuity) == [false, false, false, true, false])
    #expect(test.status?.nextSequence == 5)
    var events = test.events.makeAsyncIterator()
    let event = await events.next()
    #expect(event?.kind == .cameraSwitched)
    #expect(event?.camera == "b")
    #expect(
      event?.data == ["camera_id": "b", "previous_camera_id": "a", "reason": "chosen"])
  }

  @Test func `it says how far it has come, for whoever goes on with it`() throws {
    let test = try TestProgram()
    let state = WindowState(nextSequence: 70, discontinuitySequence: 3, endDate: 900_000)
    test.open(state: state, showing: "a", shown: ShownPlace(camera: "a", sequence: 38))
    #expect(test.hub.place(of: "w", under: nil)?.text == "69.3.900000.38.0.a")
    // The edge of another camera knows of more.
    let told = ProgramPlace(
      number: 71, discontinuity: 4, date: 906_000, camera: "a", sequence: 40)
    test.program?.goOn(from: ProgramStart(told))
    #expect(test.hub.place(of: "w", under: nil) == told)
    test.program?.goOn(
      from: ProgramStart(state: state, shown: ShownPlace(camera: "a", sequence: 1)))
    #expect(test.hub.place(of: "w", under: nil) == told)
    // What it says was shown last stands in the same place once more.
    test.tell(.began, "a")
    test.segments("a")
    #expect(test.playlist?.mediaSequence == 71)
    let shown = try #require(test.hub.place(of: "w", under: nil))
    #expect((shown.number, shown.camera, shown.sequence) == (71, "a", 40))
    test.segments("a")
    #expect(test.hub.place(of: "w", under: nil)?.number == 72)
    #expect(test.hub.place(of: "w", under: nil)?.sequence == 41)
    #expect(test.hub.place(of: "v", under: nil) == nil)
    _ = test.program?.handOver()
    #expect(test.hub.place(of: "w", under: nil) == nil)
  }

  @Test(arguments: [false, true])
  func `one of which nobody knew begins where the edge of a later camera says`(
    hasShown: Bool
  ) throws {
    let test = try TestProgram()
    let beyond = StreamLedger.beyondAll
    test.open(state: beyond, isBlind: true)
    test.tell(.began, "a")
    if hasShown { test.segments("a") }
    let told = ProgramPlace(
      number: 71, discontinuity: 4, date: 906_000, camera: "b", sequence: 40)
    var passed: [Bool] = []
    test.program?.goOn(from: ProgramStart(told)) { passed.append($0) }
    // It is another's number that edges have heard of, also where numbers can't be changed any
    // more.
    #expect(passed == [true])
    test.tell(.began, "b")
    guard !hasShown else {
      #expect(test.playlist?.mediaSequence == beyond.nextSequence)
      let own = try #require(test.hub.place(of: "w", under: nil))
      test.program?.goOn(from: ProgramStart(own)) { passed.append($0) }
      #expect(passed == [true, false])
      return
    }
    #expect(test.hub.place(of: "w", under: nil) == told)
    // The camera that viewers have seen is waited for, and what it makes once more has its place
    // again.
    test.segments("a")
    #expect(test.playlist == nil)
    test.segments("a", "b")
    #expect(test.status?.active == "b")
    #expect(test.playlist?.mediaSequence == 71)
    test.program?.goOn(from: ProgramStart(told)) { passed.append($0) }
    #expect(passed == [true, false])
  }

  @Test func `what cameras told before it was open is not lost`() throws {
    let test = try TestProgram()
    test.tell(.began, "a")
    test.segments("a")
    test.segments("a")
    #expect(test.playlist == nil)
    test.open(state: WindowState(nextSequence: 70, discontinuitySequence: 3))
    #expect(test.playlist?.mediaSequence == 70)
    #expect(test.playlist?.entries.count == 2)
  }

  @Test(arguments: [false, true])
  func `nothing is kept of what a camera has told that was removed`(isAsked: Bool) async throws {
    let test = try TestProgram()
    let key = StreamKey.named("w", "a")
    try await test.cameras.add(NewCamera(wedding: "w", id: "a", name: "A"))
    test.hub.set("w", isAway: true)
    test.hub.tell(.segments([("source", .sample(1, at: 1_000))], offers: []), of: key)
    #expect(test.hub.live(in: "w") == ["a"])
    var known = 0
    if isAsked {
      let news = await test.hub.news(after: 0, atMost: .zero)
      #expect(news.cameras.map(\.isLive) == [true])
      known = news.number
    }
    try await test.cameras.remove("a", of: "w")
    test.hub.tell(.lost, of: key)
    #expect(test.hub.live(in: "w") == [])
    #expect(test.hub.state.withLock { $0.own } == [])
    let news = await test.hub.news(after: known, atMost: .zero)
    #expect(news.cameras.map(\.isThere) == (isAsked ? [false] : []))
    #expect(news.cameras.flatMap(\.pieces) == [])
  }

  @Test func `a camera that was removed on the air keeps no program from its end`() async throws {
    let test = try TestProgram()
    test.hub.setLoops([test.loop.mailbox])
    test.open()
    for camera in ["a", "b"] {
      try await test.cameras.add(NewCamera(wedding: "w", id: camera, name: camera))
      test.hub.tell(.began, of: .named("w", camera))
    }
    test.segments("a", "b")
    try await test.cameras.remove("b", of: "w")
    test.program?.remove("b")
    test.hub.tell(.lost, of: .named("w", "b"))
    test.hub.tell(.over, of: .named("w", "a"))
    test.look()
    #expect(test.status?.isEnded == true)
  }

  @Test(arguments: [(40, 69), (39, 70)])
  func `a program that comes from another node takes its last place again`(
    shown: Int, first: Int
  ) throws {
    let test = try TestProgram()
    test.open(
      state: WindowState(nextSequence: 70, discontinuitySequence: 3), showing: "a",
      shown: ShownPlace(camera: "a", sequence: shown))
    test.tell(.began, "a")
    for _ in 1...2 { test.segments("a") }
    let playlist = try #require(test.playlist)
    #expect(playlist.mediaSequence == first)
    #expect(playlist.entries.map(\.isDiscontinuity) == [true, false])
    #expect(playlist.discontinuities == 4)
    #expect(test.status?.nextSequence == first + 2)
  }

  @Test func `a camera that is lost is followed at once, and goes on where nobody else is live`()
    throws
  {
    let test = try TestProgram()
    test.open()
    for camera in ["a", "b"] { test.tell(.began, camera) }
    test.segments("a", "b")
    test.program?.set(priorities: ["b": 1])
    test.tell(.lost, "a")
    #expect(test.status?.active == "b")
    test.tell(.lost, "b")
    #expect(test.status?.active == "b")
    #expect(test.status?.isLive == false)
    test.pass(20)
    test.tell(.began, "b")
    test.segments("b")
    #expect(test.status?.isLive == true)
    #expect(test.playlist?.entries.last?.isDiscontinuity == true)
  }

  @Test func `a camera that sends nothing is left, though its publisher is there`() throws {
    let test = try TestProgram(rule: .whenLive)
    test.open()
    for camera in ["a", "b"] { test.tell(.began, camera) }
    for _ in 1...3 { test.segments("a", "b") }
    for _ in 1...3 { test.segments("b") }
    #expect(test.status?.active == "a")
    test.segments("b")
    #expect(test.status?.active == "b")
    test.segments("a", "b")
    #expect(test.status?.active == "a")
  }

  @Test func `it waits for nobody where every camera stands still`() throws {
    let test = try TestProgram()
    test.open()
    test.tell(.began, "a")
    test.segments("a")
    test.pass(300)
    test.segments("a")
    #expect(test.status?.active == "a")
    #expect(test.status?.isLive == true)
  }

  @Test func `it ends when the last camera is over, and goes on in the same playlist`() throws {
    let test = try TestProgram()
    test.open()
    for camera in ["a", "b"] { test.tell(.began, camera) }
    test.segments("a", "b")
    test.tell(.lost, "a")
    test.tell(.over, "a")
    #expect(test.playlist?.isEnded == false)
    test.tell(.lost, "b")
    test.tell(.over, "b")
    #expect(test.playlist?.isEnded == true)
    #expect(test.status?.isEnded == true)
    let last = try #require(test.playlist)
    test.tell(.began, "b")
    test.segments("b")
    let again = try #require(test.playlist)
    #expect(!again.isEnded)
    #expect(again.problems(after: last) == [])
    #expect(again.entries.count == last.entries.count + 1)
    test.hub.close("w")
    for _ in 1...2 { test.look() }
    #expect(test.playlist == nil)
    #expect(test.status == nil)
  }

  @Test func `a removed camera is left, whatever it goes on to send`() throws {
    let test = try TestProgram(rule: .whenLive)
    test.open(chosen: "a")
    for camera in ["a", "b"] { test.tell(.began, camera) }
    for _ in 1...2 { test.segments("a", "b") }
    test.program?.remove("a")
    #expect(test.status?.active == "b")
    test.segments("a", "b")
    #expect(test.status?.active == "b")
    test.tell(.lost, "a")
    test.tell(.gone, "a")
    #expect(test.status?.active == "b")
  }

  @Test func `it shortens its window where memory is short, and gives all of it back`() throws {
    let memory = StreamMemory(limitBytes: 100_000)
    do {
      let test = try TestProgram(memory: memory)
      test.open()
      test.tell(.began, "a")
      for _ in 1...30 { test.segments("a", bytes: 10_000) }
      #expect(memory.heldBytes <= 140_000)
      #expect(memory.heldBytes > 0)
      #expect((test.playlist?.entries.count ?? 0) >= 6)
      test.hub.close("w")
      test.look()
    }
    #expect(memory.heldBytes == 0)
  }

  @Test func `old segments go while nothing new comes`() throws {
    let test = try TestProgram()
    test.open()
    test.tell(.began, "a")
    for _ in 1...40 { test.segments("a", bytes: 1_000) }
    let held = test.memory.heldBytes
    test.tell(.lost, "a")
    test.pass(300)
    test.program?.tidy()
    #expect(test.memory.heldBytes < held)
    #expect(test.playlist?.entries.count == 20)
  }

  @Test func `one that another node has made goes on with its camera and its numbers`() throws {
    let test = try TestProgram()
    test.open(state: WindowState(nextSequence: 70, discontinuitySequence: 3), showing: "b")
    for camera in ["a", "b"] { test.tell(.began, camera) }
    test.segments("a")
    #expect(test.playlist == nil)
    test.segments("a", "b")
    test.segments("a", "b")
    #expect(test.status?.active == "b")
    let playlist = try #require(test.playlist)
    #expect(playlist.mediaSequence == 70)
    #expect(playlist.entries.map(\.isDiscontinuity) == [true, false])
    #expect(test.status?.switches == 0)
  }

  @Test(arguments: [false, true])
  func `one that another node has made ends where nobody has a camera of it any more`(
    isOver: Bool
  ) async throws {
    let asked = Mutex<[[StreamKey]]>([])
    let leasing = StreamLeasing(
      acquire: { _, _ in .granted(after: nil) }, release: { _, _ in true }, publish: { _, _ in },
      areOver: { keys, _ in
        asked.withLock { $0.append(keys) }
        return isOver
      })
    let test = try TestProgram(leasing: leasing)
    try await test.cameras.add(NewCamera(wedding: "w", id: "b", name: "b"))
    test.open(state: WindowState(nextSequence: 70), showing: "a")
    test.tell(.began, "a")
    // It has nothing to show before it goes for good; one that was refused says nothing at all.
    test.tell(.gone, "c")
    test.tell(.lost, "a")
    #expect(asked.withLock { $0.isEmpty })
    test.tell(.over, "a")
    #expect(await eventually { asked.withLock { $0.count == 1 } })
    #expect(asked.withLock { $0 } == [["a", "b", "main"].map { StreamKey.named("w", $0) }])
    guard isOver else {
      // Somebody may have one: that is looked at again.
      test.program?.tidy()
      #expect(await eventually { asked.withLock { $0.count == 2 } })
      test.look()
      #expect(test.status?.isEnded == false)
      #expect(test.snapshot == nil)
      return
    }
    #expect(
      await eventually {
        test.look()
        return test.status?.isEnded == true
      })
    test.look()
    #expect(test.snapshot?.isOver == true)
    #expect(test.snapshot?.renditions.isEmpty == true)
    // It goes on all the same where a publisher comes back.
    test.tell(.began, "a")
    test.segments("a")
    #expect(test.status?.isEnded == false)
    #expect(test.playlist?.mediaSequence == 70)
    #expect(test.playlist?.isEnded == false)
  }

  @Test func `one that comes back before all is said of the others doesn't end`() async throws {
    let answer = Mutex<CheckedContinuation<Bool, Never>?>(nil)
    let leasing = StreamLeasing(
      acquire: { _, _ in .granted(after: nil) }, release: { _, _ in true }, publish: { _, _ in },
      areOver: { _, _ in
        await withCheckedContinuation { waiting in answer.withLock { $0 = waiting } }
      })
    let test = try TestProgram(leasing: leasing)
    test.open(state: WindowState(nextSequence: 70), showing: "a")
    for news in [.began, .lost, .over] as [ProgramNews] { test.tell(news, "a") }
    #expect(await eventually { answer.withLock { $0 != nil } })
    test.tell(.began, "a")
    answer.withLock { $0 }?.resume(returning: true)
    await test.settle()
    test.look()
    #expect(test.status?.isEnded == false)
  }

  @Test(arguments: [20_000, 90_000])
  func `what a broadcast of before has shown is not waited for`(ago: Int64) async throws {
    let test = try TestProgram()
    let now = StreamOutlet.wallClockMilliseconds
    test.open(
      state: WindowState(nextSequence: 70), chosen: "a", showing: "a",
      broadcast: Broadcast(began: now - 3_600_000, last: now - ago))
    for camera in ["a", "b"] { test.tell(.began, camera) }
    test.segments("b")
    let goesOn = ago < 60_000
    #expect(test.status?.active == (goesOn ? nil : "b"))
    #expect(test.playlist?.mediaSequence == (goesOn ? nil : 70))
    test.segments("b")
    test.segments("a", "b")
    #expect(test.status?.active == "a")
    #expect(test.status?.switches == (goesOn ? 0 : 1))
    guard test.status?.switches == 1 else { return }
    // The one that was chosen has never been lost in this one.
    var events = test.events.makeAsyncIterator()
    #expect(await events.next()?.data["reason"] == "chosen")
  }

  @Test func `it waits for no clock, whatever the other node's said`() throws {
    let test = try TestProgram()
    let ahead = WindowState(nextSequence: 70, endDate: 4_000_000_000_000)
    test.open(state: ahead, showing: "a")
    test.tell(.began, "a")
    test.segments("a")
    #expect(test.playlist?.mediaSequence == 70)
  }
}
