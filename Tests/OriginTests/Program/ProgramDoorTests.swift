import TestSupport
import HLS
import Media
import RTMP
import Synchronization
import Testing

@testable import Origin

@Suite struct `Program door` {
  /// What the door did, in its order.
  private final class Notes: Sendable {
    let all = Mutex<[String]>([])
    let weddings = Mutex<Set<String>>([])
    /// How often another node still has the program, and what tells that one has it again.
    let refusals = Mutex(0)
    let losses = Mutex<[@Sendable () -> Void]>([])
    let isInherited = Mutex(false)
    /// Whether nobody can be asked how far it has come.
    let isBlind = Mutex(false)
    /// How many closings have begun, and whether they are kept from ending.
    let closings = Mutex(0)
    let isHeld = Mutex(false)
    /// Whose cameras tell what they have while another process has the program.
    let away = Mutex<Set<String>>([])

    func note(_ words: String) { all.withLock { $0.append(words) } }

    var taken: [String] {
      all.withLock { all in
        defer { all = [] }
        return all
      }
    }
  }

  private let notes = Notes()

  private func door(pause: Duration = .milliseconds(1)) -> ProgramDoor {
    ProgramDoor(
      ProgramDoor.Hands(
        hasProgram: { [notes] wedding in notes.weddings.withLock { $0.contains(wedding) } },
        begin: { [notes] key, told, onLoss in
          let isRefused = notes.refusals.withLock { count in
            count -= 1
            return count >= 0
          }
          if isRefused { return nil }
          notes.losses.withLock { $0.append(onLoss) }
          notes.note("begin \(key)")
          return told
            ?? ProgramStart(
              state: WindowState(nextSequence: 5), isInherited: notes.isInherited.withLock { $0 },
              isBlind: notes.isBlind.withLock { $0 })
        },
        goOn: { [notes] key, start in
          notes.note("go on \(key) at \(start.state.nextSequence)")
        },
        seed: { [notes] key in
          notes.note("seed \(key)")
          return nil
        },
        open: { [notes] key, start, _ in
          notes.note("open \(key) at \(start.state.nextSequence)")
        },
        await: { [notes] wedding in notes.away.withLock { _ = $0.insert(wedding) } },
        giveUp: { [notes] wedding in notes.away.withLock { _ = $0.remove(wedding) } },
        yield: { [notes] key, later in
          guard later?.live != [] else { return nil }
          notes.note("yield \(key)")
          return StreamLeasing.Progress(state: WindowState(nextSequence: 9), publisherEnd: nil)
        },
        close: { [notes] key, wasPublished in
          notes.closings.withLock { $0 += 1 }
          _ = await eventually { notes.isHeld.withLock { !$0 } }
          notes.note(wasPublished ? "close \(key)" : "withdraw \(key)")
        }, listen: { [notes] wedding, _ in notes.note("listen \(wedding)") }), pause: pause)
  }

  private func hasSeveral(_ wedding: String) {
    notes.weddings.withLock { _ = $0.insert(wedding) }
  }

  @Test func `a wedding with one camera has none`() async {
    let door = door()
    await door.enter(.named("w"))
    await door.leave(.named("w"))
    #expect(notes.taken == [])
  }

  @Test func `it opens with the first of several, and closes with the last`() async {
    let door = door()
    hasSeveral("w")
    await door.enter(.named("w", "a"))
    #expect(notes.taken == ["begin w/program", "listen w", "open w/program at 5"])
    await door.enter(.named("w", "b"))
    await door.leave(.named("w", "a"))
    #expect(notes.taken == [])
    await door.leave(.named("w", "b"))
    #expect(notes.taken == ["close w/program"])
    await door.leave(.named("w", "b"))
    await door.enter(.named("w", "a"))
    #expect(notes.taken.count == 3)
  }

  @Test func `one of which nobody was admitted leaves no trace`() async {
    let door = door()
    hasSeveral("w")
    await door.enter(.named("w", "a"))
    await door.enter(.named("w", "b"))
    _ = notes.taken
    await door.leave(.named("w", "a"), wasPublished: false)
    await door.leave(.named("w", "b"), wasPublished: false)
    #expect(notes.taken == ["withdraw w/program"])
    for wasPublished in [true, false] {
      await door.enter(.named("w", "\(wasPublished)"))
    }
    _ = notes.taken
    for wasPublished in [true, false] {
      await door.leave(.named("w", "\(wasPublished)"), wasPublished: wasPublished)
    }
    #expect(notes.taken == ["close w/program"])
  }

  @Test func `one that was left to the next process is not opened again`() async throws {
    let door = door()
    hasSeveral("w")
    await door.enter(.named("w", "a"))
    #expect(try await door.yield(.named("w", "program"), to: nil)?.state.nextSequence == 9)
    #expect(notes.taken.last == "yield w/program")
    // Left once: the other process has brought it on since.
    #expect(try await door.yield(.named("w", "program"), to: nil) == nil)
    await door.split("w")
    await door.leave(.named("w", "a"))
    await door.enter(.named("w", "b"))
    #expect(notes.taken == ["close w/program"])
    #expect(try await door.yield(.named("w", "program"), to: nil) == nil)
  }

  @Test func `one that shows a camera of this process stays with it until that has moved`()
    async throws
  {
    let door = door()
    hasSeveral("w")
    await door.enter(.named("w", "a"))
    _ = notes.taken
    await #expect(throws: ClaimRefusal.taken) {
      _ = try await door.yield(.named("w", "program"), to: LaterCameras(process: 2, live: []))
    }
    #expect(notes.taken == [])
    let later = LaterCameras(process: 2, live: ["a"])
    #expect(try await door.yield(.named("w", "program"), to: later) != nil)
  }

  @Test func `one that is waited for from a process before is left to none after`() async throws {
    let door = door(pause: .seconds(600))
    hasSeveral("w")
    notes.refusals.withLock { $0 = 1 }
    await door.enter(.named("w", "a"))
    await #expect(throws: ClaimRefusal.taken) {
      _ = try await door.yield(.named("w", "program"), to: LaterCameras(process: 2, live: ["b"]))
    }
    await door.leave(.named("w", "a"))
  }

  @Test func `cameras tell what they have while it is waited for, also those that come anew`() async
  {
    let door = door(pause: .seconds(600))
    hasSeveral("w")
    notes.refusals.withLock { $0 = 2 }
    await door.enter(.named("w", "a"))
    #expect(notes.away.withLock { $0 } == ["w"])
    await door.leave(.named("w", "a"))
    #expect(notes.away.withLock { $0 } == [])
    // It is still waited for.
    await door.enter(.named("w", "b"))
    #expect(notes.away.withLock { $0 } == ["w"])
    await door.leave(.named("w", "b"))
  }

  @Test func `it is here for cameras that are elsewhere, and as long as there are such`() async {
    let door = door()
    hasSeveral("w")
    await door.host("w")
    #expect(notes.taken == ["begin w/program", "listen w", "open w/program at 5"])
    await door.enter(.named("w", "a"))
    await door.leave(.named("w", "a"))
    await door.unhost("other")
    #expect(notes.taken == [])
    await door.unhost("w")
    #expect(notes.taken == ["close w/program"])
    await door.unhost("w")
    #expect(notes.taken == [])
  }

  @Test func `one that is here for both stays for those that are here`() async {
    let door = door()
    hasSeveral("w")
    await door.enter(.named("w", "a"))
    await door.host("w")
    await door.unhost("w")
    #expect(!notes.taken.contains("close w/program"))
    await door.leave(.named("w", "a"))
    #expect(notes.taken == ["close w/program"])
  }

  @Test func `it is waited for where cameras are elsewhere alone`() async {
    let door = door()
    hasSeveral("w")
    notes.refusals.withLock { $0 = 3 }
    await door.host("w")
    #expect(await eventually { notes.all.withLock { $0.count == 3 } })
  }

  @Test func `a process that was replaced opens none, but for what a camera here has shown`()
    async throws
  {
    let door = door(pause: .seconds(600))
    hasSeveral("w")
    notes.refusals.withLock { $0 = 1 }
    await door.enter(.named("w", "a"))
    await door.retire()
    await door.enter(.named("w", "b"))
    await door.host("w")
    #expect(notes.taken == [])
    // It waits for it no more, so who comes after it has it.
    #expect(
      try await door.yield(.named("w", "program"), to: LaterCameras(process: 2, live: [])) == nil)
    await door.enter(.named("v"))
    hasSeveral("v")
    await door.split("v")
    #expect(
      notes.taken == ["begin v/program", "listen v", "seed v/main", "open v/program at 5"])
  }

  @Test func `it opens while the main camera is live, and goes on from that`() async {
    let door = door()
    await door.enter(.named("w"))
    hasSeveral("w")
    await door.split("w")
    await door.split("w")
    #expect(
      notes.taken == ["begin w/program", "listen w", "seed w/main", "open w/program at 5"])
  }

  @Test func `where edges know how far it was it goes on there, and beyond all where none does`()
    async throws
  {
    let door = door()
    hasSeveral("w")
    hasSeveral("v")
    notes.isBlind.withLock { $0 = true }
    let place = ProgramPlace(
      number: 20, discontinuity: 1, date: 1_795_939_000_000, camera: "a", sequence: 7)
    await door.enter(.named("w", "a"), told: ProgramStart(place))
    #expect(notes.taken == ["begin w/program", "listen w", "open w/program at 21"])
    await door.enter(.named("w", "b"), told: ProgramStart(place))
    await door.enter(.named("w", "c"))
    #expect(notes.taken == ["go on w/program at 21"])

    let seconds = StreamLedger.beyondAll.nextSequence
    await door.enter(.named("v", "a"))
    let opened = try #require(notes.taken.last)
    let number = try #require(Int(opened.replacing("open v/program at ", with: "")))
    #expect((seconds...seconds + 60).contains(number))
  }

  private func hasOpened() -> Bool {
    notes.all.withLock { $0.contains { $0.hasPrefix("open ") } }
  }

  @Test func `what edges have said while another node had it counts once that is lost`() async {
    let door = door()
    hasSeveral("w")
    notes.refusals.withLock { $0 = 2 }
    let now = StreamOutlet.wallClockMilliseconds
    for (camera, number) in [("a", 20), ("b", 19)] as [(String, Int64)] {
      let place = ProgramPlace(
        number: number, discontinuity: 1, date: now, camera: camera, sequence: 7)
      await door.enter(.named("w", camera), told: ProgramStart(place))
    }
    #expect(await eventually { hasOpened() })
    #expect(notes.taken.last == "open w/program at 21")
    // It is said once.
    for camera in ["a", "b"] { await door.leave(.named("w", camera)) }
    await door.enter(.named("w", "a"))
    #expect(notes.taken.last == "open w/program at 5")
  }

  @Test func `what edges have said long ago counts no more`() async {
    let door = door()
    hasSeveral("w")
    notes.refusals.withLock { $0 = 1 }
    let place = ProgramPlace(
      number: 20, discontinuity: 1, date: 1_795_939_000_000, camera: "a", sequence: 7)
    await door.enter(.named("w", "a"), told: ProgramStart(place))
    #expect(await eventually { hasOpened() })
    #expect(notes.taken.last == "open w/program at 5")
  }

  @Test func `it waits for the first stream where nobody is live`() async {
    let door = door()
    hasSeveral("w")
    await door.split("w")
    #expect(notes.taken == [])
    await door.enter(.named("w"))
    #expect(notes.taken.last == "open w/program at 5")
  }

  @Test func `a program that could not be opened in time goes on from the main camera later`() async
  {
    let door = door()
    await door.enter(.named("w"))
    hasSeveral("w")
    await door.enter(.named("w", "a"))
    #expect(
      notes.taken == ["begin w/program", "listen w", "seed w/main", "open w/program at 5"])
  }

  @Test func `a wedding that ends as it begins anew does both in order`() async {
    let door = door()
    hasSeveral("w")
    await door.enter(.named("w", "a"))
    notes.isHeld.withLock { $0 = true }
    async let leaving: Void = door.leave(.named("w", "a"))
    #expect(await eventually { notes.closings.withLock { $0 == 1 } })
    async let coming: Void = door.enter(.named("w", "b"))
    // Time for it to go ahead, which it must not.
    try? await Task.sleep(for: .milliseconds(20))
    notes.isHeld.withLock { $0 = false }
    _ = await (leaving, coming)
    #expect(
      notes.taken.filter { !$0.hasPrefix("listen") } == [
        "begin w/program", "open w/program at 5", "close w/program", "begin w/program",
        "open w/program at 5",
      ])
  }

  @Test func `a program that another node has is asked for until it is to be had`() async {
    let door = door()
    hasSeveral("w")
    notes.refusals.withLock { $0 = 3 }
    await door.enter(.named("w", "a"))
    #expect(notes.taken == [])
    #expect(await eventually { notes.all.withLock { $0.count == 3 } })
    #expect(notes.taken == ["begin w/program", "listen w", "open w/program at 5"])
  }

  @Test func `it closes where another node has it, and opens with the next camera`() async throws {
    let door = door()
    hasSeveral("w")
    await door.enter(.named("w"))
    _ = notes.taken
    let lose = try #require(notes.losses.withLock { $0.first })
    lose()
    #expect(await eventually { notes.all.withLock { !$0.isEmpty } })
    #expect(notes.taken == ["close w/program"])
    // What it goes on from is what that node has made of it, not the main camera's playlist here.
    notes.isInherited.withLock { $0 = true }
    await door.enter(.named("w", "a"))
    #expect(notes.taken == ["begin w/program", "listen w", "open w/program at 5"])
    // It was lost once.
    lose()
    await door.leave(.named("w"))
    #expect(notes.taken == [])
  }
}
