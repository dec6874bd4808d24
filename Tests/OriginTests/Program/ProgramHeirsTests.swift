import Events
import Foundation
import HLS
import Media
import TestSupport
import Testing

@testable import Origin

@Suite struct `Programs whose cameras are in two processes` {
  /// A program that shows `a`; `b` was left to process 2.
  private func split() throws -> TestProgram {
    let test = try TestProgram(rule: .whenLive)
    test.open()
    for camera in ["a", "b"] { test.tell(.began, camera) }
    for _ in 1...3 { test.segments("a", "b") }
    test.program?.expect("b")
    test.tell(.lost, "b")
    hear(test, ["b"])
    return test
  }

  private func hear(_ test: TestProgram, _ live: [String]) {
    #expect(test.program?.hear(LaterCameras(process: 2, live: live)) == true)
  }

  private func handOver(_ test: TestProgram, _ live: [String]?) -> StreamLeasing.Progress? {
    test.program?.handOver(to: live.map { LaterCameras(process: 2, live: $0) })
  }

  @Test func `it stays where the camera is that it shows`() throws {
    let test = try split()
    #expect(test.status?.heir == nil)
    #expect(handOver(test, ["b"]) == nil)
    #expect(handOver(test, nil) == nil)
    test.segments("a")
    #expect(test.status?.active == "a")
    #expect(test.playlist?.entries.count == 4)
  }

  @Test func `another one that is chosen is shown there, and this one's go on until it is`()
    async throws
  {
    let test = try split()
    test.program?.choose("b")
    #expect(test.status?.heir == 2)
    test.segments("a")
    #expect(test.playlist?.entries.count == 4)
    // A third process has nothing of it.
    #expect(test.program?.handOver(to: LaterCameras(process: 3, live: ["c"])) == nil)
    let progress = try #require(handOver(test, ["b"]))
    #expect(progress.state.nextSequence == 4)
    #expect(progress.camera == "b")
    #expect(progress.chosen == "b")
    test.segments("a")
    #expect(test.playlist?.entries.count == 4)
    #expect(test.program?.hear(LaterCameras(process: 2, live: ["b"])) == false)
    var events = test.events.makeAsyncIterator()
    #expect(
      await events.next()?.data == [
        "camera_id": "b", "previous_camera_id": "a", "reason": "chosen",
      ])
  }

  @Test func `one that is lost here is followed by one that is live there`() throws {
    let test = try split()
    test.tell(.lost, "a")
    #expect(test.status?.heir == 2)
    let progress = try #require(handOver(test, ["b"]))
    #expect(progress.camera == "b")
    #expect(progress.chosen == "a")
  }

  @Test func `one that is lost there before it was shown there is followed by one that is here`()
    throws
  {
    let test = try split()
    test.program?.choose("b")
    hear(test, [])
    #expect(test.status?.active == "a")
    #expect(test.status?.heir == nil)
    test.segments("a")
    #expect(test.playlist?.entries.count == 4)
  }

  @Test func `the one that is shown is waited for where it goes`() throws {
    let test = try TestProgram()
    test.open()
    for camera in ["a", "b"] { test.tell(.began, camera) }
    for _ in 1...3 { test.segments("a", "b") }
    test.program?.expect("a")
    test.tell(.lost, "a")
    test.segments("b")
    #expect(test.status?.active == "a")
    #expect(handOver(test, []) == nil)
    #expect(handOver(test, ["a"])?.state.nextSequence == 3)
    #expect(test.status?.switches == 0)
  }

  @Test func `one that stays here is lost when it is lost`() throws {
    let test = try split()
    test.program?.expect("a")
    test.program?.keepHere("a")
    test.tell(.lost, "a")
    #expect(test.status?.heir == 2)
  }

  @Test func `it is anybody's where all of its cameras have moved`() throws {
    let test = try TestProgram()
    test.open()
    test.tell(.began, "a")
    test.segments("a")
    #expect(handOver(test, []) == nil)
    test.program?.expect("a")
    test.tell(.lost, "a")
    #expect(test.status?.isLeft == true)
    #expect(handOver(test, [])?.camera == "a")
  }

  @Test func `it has not ended while a later process has cameras of it`() throws {
    let test = try split()
    hear(test, [])
    test.tell(.over, "a")
    test.tell(.gone, "b")
    #expect(test.status?.isEnded == false)
    test.pass(20)
    test.program?.tidy()
    #expect(test.status?.isEnded == true)
  }

  @Test func `who watches it is told when it may have it`() async throws {
    let heirs = LaterCameras(process: 2, live: ["b"])
    let test = try split()
    // Nobody has such a one here.
    #expect(await test.hub.watch("other", for: heirs, atMost: .seconds(60)) == false)
    #expect(test.status?.heir == nil)
  }

  @Test func `a process that says nothing of its cameras asks as one of before`() throws {
    let order = ElderOrder.yield(.named("w"), token: [], priority: 0, isAdmitted: true)
    let json = try JSONEncoder().encode(order)
    #expect(!String(decoding: json, as: UTF8.self).contains("cameras"))
    #expect(try JSONDecoder().decode(ElderOrder.self, from: json) == order)
  }

  @Test func `cameras that come and go between processes are told once`() {
    var heirs = ProgramHeirs()
    #expect(heirs.take(LaterCameras(process: 2, live: ["b"]), now: 0) == (gone: [], came: ["b"]))
    // It moves on from one to the next.
    #expect(heirs.take(LaterCameras(process: 3, live: ["b"]), now: 1) == (gone: [], came: []))
    #expect(heirs.take(LaterCameras(process: 2, live: []), now: 2) == (gone: [], came: []))
    #expect(heirs.process(of: "b") == 3)
    #expect(heirs.areThere(now: 15_000))
    #expect(!heirs.areThere(now: 15_002))
  }

  @Test func `a camera is where it came to last, whatever a process that was killed had of it`() {
    var heirs = ProgramHeirs()
    for process in 2...9 as ClosedRange<Int32> {
      let (gone, _) = heirs.take(LaterCameras(process: process, live: ["b"]), now: 0)
      #expect(gone.isEmpty)
      #expect(heirs.process(of: "b") == process)
    }
  }

  @Test func `one that was with a process that is silent by now is lost`() throws {
    let test = try split()
    test.program?.choose("b")
    #expect(test.status?.heir == 2)
    test.pass(20)
    test.segments("a")
    test.program?.tidy()
    #expect(test.status?.heir == nil)
    #expect(test.status?.active == "a")
    hear(test, ["b"])
    #expect(test.status?.heir == 2)
  }
}
