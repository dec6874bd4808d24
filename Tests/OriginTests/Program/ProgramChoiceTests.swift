import Testing

@testable import Origin

@Suite struct `Program, its choice` {
  private typealias Change = ProgramChoice.Change

  private func choice(
    _ rule: CameraReturn, chosen: String? = nil, _ priorities: [String: Int] = [:],
    live cameras: [String] = []
  ) -> ProgramChoice {
    var choice = ProgramChoice(rule, chosen: chosen)
    choice.set(priorities: priorities)
    for camera in cameras { _ = choice.live(camera, now: 0) }
    return choice
  }

  @Test func `the first camera that is live is shown, and stays`() {
    var choice = choice(.whenLive, ["b": 9])
    #expect(choice.active == nil)
    #expect(choice.live("a", now: 1) == nil)
    #expect(choice.active == "a")
    #expect(choice.live("b", now: 2) == nil)
    #expect(choice.active == "a")
  }

  @Test func `one that is lost is followed by the live one with the highest priority`() {
    var choice = choice(.never, ["b": 1, "c": 5, "d": 5], live: ["a", "d", "b", "c"])
    #expect(choice.lost("c", now: 1) == nil)
    #expect(choice.lost("a", now: 2) == Change(from: "a", to: "d", reason: .lost))
    #expect(choice.lost("d", now: 3) == Change(from: "d", to: "b", reason: .lost))
    #expect(choice.lost("b", now: 4) == nil)
    #expect(choice.active == "b")
    // The first that is there again goes on.
    #expect(choice.live("a", now: 5) == Change(from: "b", to: "a", reason: .lost))
  }

  @Test func `of two with the same priority the one that came first goes first`() {
    var choice = choice(.never, live: ["a", "z", "b"])
    #expect(choice.lost("a", now: 1)?.to == "z")
  }

  @Test func `it goes back at once, where that is the rule`() {
    var choice = choice(.whenLive, live: ["a", "b"])
    _ = choice.lost("a", now: 1)
    #expect(choice.live("a", now: 2) == Change(from: "b", to: "a", reason: .returned))
  }

  @Test func `it never goes back, where that is the rule`() {
    var choice = choice(.never, live: ["a", "b"])
    _ = choice.lost("a", now: 1)
    #expect(choice.live("a", now: 2) == nil)
    #expect(choice.due(now: 1_000_000) == nil)
    #expect(choice.chosen == "b")
    #expect(choice.nextLook == nil)
  }

  @Test func `it goes back when the camera has been live for so long without a break`() {
    var choice = choice(.after(milliseconds: 30_000), live: ["a", "b"])
    _ = choice.lost("a", now: 1_000)
    #expect(choice.nextLook == nil)
    #expect(choice.live("a", now: 2_000) == nil)
    #expect(choice.nextLook == 32_000)
    #expect(choice.due(now: 31_999) == nil)
    #expect(choice.lost("a", now: 31_999) == nil)
    #expect(choice.nextLook == nil)
    #expect(choice.live("a", now: 40_000) == nil)
    #expect(choice.due(now: 69_999) == nil)
    #expect(choice.due(now: 70_000) == Change(from: "b", to: "a", reason: .returned))
    #expect(choice.nextLook == nil)
  }

  @Test func `what somebody chooses is shown at once, or as soon as it is live`() {
    var choice = choice(.never, live: ["a", "b"])
    #expect(choice.choose("b") == Change(from: "a", to: "b", reason: .chosen))
    #expect(choice.choose("b") == nil)
    #expect(choice.choose("c") == nil)
    #expect(choice.active == "b")
    #expect(choice.live("c", now: 5) == Change(from: "b", to: "c", reason: .chosen))
    _ = choice.lost("a", now: 6)
    #expect(choice.choose("a") == nil)
    #expect(choice.live("a", now: 7) == Change(from: "c", to: "a", reason: .chosen))
  }

  @Test func `what was chosen before a restart comes when it is there`() {
    var choice = choice(.after(milliseconds: 30_000), chosen: "b")
    #expect(choice.live("a", now: 1) == nil)
    #expect(choice.active == "a")
    #expect(choice.live("b", now: 2) == Change(from: "a", to: "b", reason: .chosen))
  }

  @Test func `one that is removed is left, and never gone back to`() {
    var choice = choice(.whenLive, live: ["a", "b"])
    #expect(choice.removed("a", now: 1) == Change(from: "a", to: "b", reason: .removed))
    #expect(choice.chosen == nil)
    #expect(choice.removed("b", now: 2) == nil)
    #expect(!choice.isLive)
  }

  @Test func `a program that goes on from a camera's playlist shows that one`() {
    var choice = choice(.never)
    choice.begin(with: "main", isLive: false, now: 1)
    #expect(choice.active == "main")
    #expect(!choice.isLive)
    #expect(choice.live("b", now: 2) == Change(from: "main", to: "b", reason: .lost))
  }

  @Test func `a program of another node goes on with its camera, whichever is there first`() {
    var choice = choice(.after(milliseconds: 30_000), chosen: "a")
    choice.goOn(with: "b", patience: 2_000)
    #expect(choice.live("c", now: 1_000) == nil)
    #expect(choice.active == nil)
    #expect(choice.nextLook == 3_000)
    #expect(choice.live("b", now: 1_500) == nil)
    #expect(choice.active == "b")
    // The chosen one had been lost before: it is back by the rule.
    #expect(choice.live("a", now: 2_000) == nil)
    #expect(choice.nextLook == 32_000)
  }

  @Test func `it waits for that camera only for a while`() {
    var choice = choice(.whenLive, ["c": 3])
    choice.goOn(with: "b", patience: 2_000)
    #expect(choice.nextLook == nil)
    for camera in ["a", "c"] { #expect(choice.live(camera, now: 1_000) == nil) }
    #expect(choice.due(now: 2_999) == nil)
    #expect(choice.active == nil)
    #expect(choice.due(now: 3_000) == Change(from: "b", to: "c", reason: .lost))
    #expect(choice.active == "c")
    #expect(choice.live("b", now: 4_000) == nil)
    #expect(choice.active == "c")
  }

  @Test func `one that is removed is waited for no more`() {
    for isLive in [true, false] {
      var choice = choice(.never, chosen: "b", ["b": 1])
      choice.goOn(with: "b", patience: 2_000)
      let change = Change(from: "b", to: "a", reason: .removed)
      if isLive { #expect(choice.live("a", now: 1_000) == nil) }
      #expect(choice.removed("b", now: 1_500) == (isLive ? change : nil))
      if !isLive { #expect(choice.live("a", now: 2_000) == change) }
      #expect(choice.active == "a")
      #expect(choice.nextLook == nil)
      #expect(choice.chosen == nil)
    }
  }

  @Test func `another one that is removed leaves the one that is waited for`() {
    var choice = choice(.never, live: [])
    choice.goOn(with: "b", patience: 2_000)
    #expect(choice.live("a", now: 1_000) == nil)
    #expect(choice.removed("c", now: 1_500) == nil)
    #expect(choice.live("b", now: 2_000) == nil)
    #expect(choice.active == "b")
  }

  @Test(arguments: [CameraReturn.whenLive, .never, .after(milliseconds: 30_000)])
  func `a chosen one that comes later than that is back by the rule`(rule: CameraReturn) {
    var choice = choice(rule, chosen: "b")
    choice.goOn(with: "b", patience: 2_000)
    #expect(choice.live("a", now: 1_000) == nil)
    #expect(choice.due(now: 3_000) == Change(from: "b", to: "a", reason: .lost))
    let isBack = rule == .whenLive
    #expect(
      choice.live("b", now: 4_000)
        == (isBack ? Change(from: "a", to: "b", reason: .returned) : nil))
    #expect(choice.chosen == (rule == .never ? "a" : "b"))
    #expect(choice.nextLook == (rule == .after(milliseconds: 30_000) ? 34_000 : nil))
  }

  @Test func `who is chosen meanwhile is shown`() {
    var choice = choice(.whenLive)
    choice.goOn(with: "b", patience: 2_000)
    #expect(choice.live("a", now: 1_000) == nil)
    #expect(choice.choose("a") == nil)
    #expect(choice.active == "a")
  }
}
