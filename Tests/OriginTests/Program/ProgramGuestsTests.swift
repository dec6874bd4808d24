import ControlAPI
import EventLoop
import HLS
import Media
import TestSupport
import Testing

@testable import Origin

@Suite struct `Programs that show cameras of processes before` {
  /// A program of a camera `b` that is here, and a guest `a`, which is shown.
  private func split(rule: CameraReturn = .whenLive) throws -> TestProgram {
    let test = try TestProgram(rule: rule)
    test.open()
    test.tell(.began, "b")
    test.tell(.began, "a", isGuest: true)
    test.segments("b")
    test.segments("a", isGuest: true)
    test.program?.choose("a")
    test.segments("a", isGuest: true)
    return test
  }

  @Test func `one that is shown comes here, and nothing else is shown meanwhile`() throws {
    let test = try split()
    #expect(test.status?.active == "a")
    let switches = test.status?.switches
    test.program?.welcome("a")
    test.tell(.lost, "a", isGuest: true)
    test.segments("b")
    #expect(test.status?.active == "a")
    test.tell(.began, "a")
    test.segments("a")
    #expect(test.status?.switches == switches)
    // It is here by now: when it is lost, it is.
    test.tell(.lost, "a")
    #expect(test.status?.active == "b")
  }

  @Test func `one that was removed keeps no program from its end`() async throws {
    let test = try TestProgram()
    test.hub.setLoops([test.loop.mailbox])
    test.open()
    for camera in ["a", "b"] {
      try await test.cameras.add(NewCamera(wedding: "w", id: camera, name: camera))
    }
    test.hub.tell(.began, of: .named("w", "a"))
    test.hub.tell(.began, ofGuest: .named("w", "b"))
    test.segments("a")
    test.segments("b", isGuest: true)
    try await test.cameras.remove("b", of: "w")
    test.program?.remove("b")
    test.hub.tell(.gone, ofGuest: .named("w", "b"))
    test.hub.tell(.over, of: .named("w", "a"))
    test.look()
    #expect(test.status?.isEnded == true)
  }

  @Test func `one that is not let in here stays what it is there`() throws {
    let test = try split()
    test.program?.welcome("a")
    test.program?.keepHere("a")
    test.segments("a", isGuest: true)
    #expect(test.status?.active == "a")
    test.program?.welcome("a")
    test.tell(.lost, "a", isGuest: true)
    #expect(test.status?.active == "a")
    test.program?.keepHere("a")
    #expect(test.status?.active == "b")
  }

  @Test func `one that was to be shown when it moved is shown when it is here`() throws {
    let test = try TestProgram()
    test.open()
    test.tell(.began, "b")
    test.tell(.began, "a", isGuest: true)
    test.segments("b")
    test.segments("a", isGuest: true)
    test.segments("b")
    test.program?.choose("a")
    test.program?.welcome("a")
    test.tell(.lost, "a", isGuest: true)
    test.tell(.began, "a")
    test.segments("b", "a")
    test.segments("b", "a")
    #expect(test.status?.active == "a")
    let last = test.playlist?.entries.last
    test.segments("b")
    #expect(test.playlist?.entries.last == last)
  }

  @Test func `one that is here moves nowhere`() throws {
    let test = try split()
    test.program?.choose("b")
    test.program?.welcome("b")
    test.tell(.lost, "b")
    #expect(test.status?.active == "a")
  }

  @Test func `it has not ended while one of them may come back`() throws {
    let test = try split()
    test.tell(.over, "b")
    #expect(test.status?.isEnded == false)
    test.tell(.lost, "a", isGuest: true)
    #expect(test.status?.isEnded == false)
    test.tell(.over, "a", isGuest: true)
    #expect(test.status?.isEnded == true)
  }
}
