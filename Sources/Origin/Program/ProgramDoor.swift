import Access
import HLS
import Media
import Store

/// Opens a wedding's program with its first stream and closes it with the last, one after the other.
actor ProgramDoor {
  /// How the door does what it decides.
  struct Hands: Sendable {
    /// Whether a wedding has several cameras.
    var hasProgram: @Sendable (String) -> Bool
    /// Where a program's numbers go on; not below those of a main camera that has been the program.
    var begin: @Sendable (StreamKey) async -> WindowState
    /// What a main camera that is live, or waits, has for viewers.
    var seed: @Sendable (StreamKey) async -> ProgramSeed?
    var open: @Sendable (StreamKey, WindowState, ProgramSeed?) -> Void
    var close: @Sendable (StreamKey) async -> Void
    /// From here on cameras tell what they have.
    var listen: @Sendable (String) -> Void
  }

  private let hands: Hands
  private var streams: [String: Set<StreamKey>] = [:]
  private var open: Set<String> = []
  private let turns = Turns()

  init(_ hands: Hands) { self.hands = hands }

  /// A stream is about to be there.
  func enter(_ key: StreamKey) async {
    await turns.enter(key.wedding)
    defer { turns.leave(key.wedding) }
    let known = streams[key.wedding] ?? []
    streams[key.wedding] = known.union([key])
    guard hands.hasProgram(key.wedding) else { return }
    await open(key.wedding, seed: known.first { $0.camera == Claims.mainCamera })
  }

  /// A stream is no longer there.
  func leave(_ key: StreamKey) async {
    await turns.enter(key.wedding)
    defer { turns.leave(key.wedding) }
    streams[key.wedding]?.remove(key)
    guard streams[key.wedding]?.isEmpty != false else { return }
    streams[key.wedding] = nil
    guard open.remove(key.wedding) != nil, let program = Self.program(key.wedding) else { return }
    await hands.close(program)
  }

  /// A wedding has got its first camera besides the main one.
  func split(_ wedding: String) async {
    await turns.enter(wedding)
    defer { turns.leave(wedding) }
    guard let known = streams[wedding] else { return }
    await open(wedding, seed: known.first { $0.camera == Claims.mainCamera })
  }

  /// Opens a program.
  ///
  /// - Parameters:
  ///   - wedding: whose.
  ///   - main: the camera that has been the program until now, if any.
  private func open(_ wedding: String, seed main: StreamKey?) async {
    guard !open.contains(wedding), let program = Self.program(wedding) else { return }
    open.insert(wedding)
    let state = await hands.begin(program)
    // First heard, then looked at: what is told twice is known by its number.
    hands.listen(wedding)
    var seed: ProgramSeed?
    if let main { seed = await hands.seed(main) }
    hands.open(program, state, seed)
  }

  private static func program(_ wedding: String) -> StreamKey? {
    StreamKey(wedding: wedding, camera: Program.name)
  }
}
