import TestSupport
import HLS
import Media
import Synchronization
import Testing

@testable import Origin

@Suite struct `Program door` {
  /// What the door did, in its order.
  private final class Notes: Sendable {
    let all = Mutex<[String]>([])
    let weddings = Mutex<Set<String>>([])

    func note(_ words: String) { all.withLock { $0.append(words) } }

    var taken: [String] {
      all.withLock { all in
        defer { all = [] }
        return all
      }
    }
  }

  private let notes = Notes()

  private func door(delay: Duration = .zero) -> ProgramDoor {
    ProgramDoor(
      ProgramDoor.Hands(
        hasProgram: { [notes] wedding in notes.weddings.withLock { $0.contains(wedding) } },
        begin: { [notes] key in
          try? await Task.sleep(for: delay)
          notes.note("begin \(key)")
          return WindowState(nextSequence: 5)
        },
        seed: { [notes] key in
          notes.note("seed \(key)")
          return nil
        },
        open: { [notes] key, state, _ in notes.note("open \(key) at \(state.nextSequence)") },
        close: { [notes] key in
          try? await Task.sleep(for: delay)
          notes.note("close \(key)")
        }, listen: { [notes] in notes.note("listen \($0)") }))
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

  @Test func `it opens while the main camera is live, and goes on from that`() async {
    let door = door()
    await door.enter(.named("w"))
    hasSeveral("w")
    await door.split("w")
    await door.split("w")
    #expect(
      notes.taken == ["begin w/program", "listen w", "seed w/main", "open w/program at 5"])
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
    let door = door(delay: .milliseconds(30))
    hasSeveral("w")
    await door.enter(.named("w", "a"))
    async let leaving: Void = door.leave(.named("w", "a"))
    try? await Task.sleep(for: .milliseconds(10))
    async let coming: Void = door.enter(.named("w", "b"))
    _ = await (leaving, coming)
    #expect(
      notes.taken.filter { !$0.hasPrefix("listen") } == [
        "begin w/program", "open w/program at 5", "close w/program", "begin w/program",
        "open w/program at 5",
      ])
  }
}
