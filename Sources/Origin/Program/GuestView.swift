import Media

/// What a program here has been told of a camera that is with a process before this one.
///
/// Pure: it says what is to be told next.
struct GuestView {
  /// What is to be done, one after the other.
  enum Step: Equatable {
    case began
    /// Get these, all of one number, and tell them.
    case show([ElderCamera.Piece])
    /// It has something to show, to whoever has the program.
    case live
    case lost
    case over
    case gone
  }

  private var round: Int?
  private var isLive = false
  private var isOpen = false
  /// The first number that was told, and which pieces were since.
  private var first: Int?
  private var told: Set<String> = []

  /// Takes what is said of it now.
  ///
  /// - Parameters:
  ///   - camera: nil where it is gone.
  ///   - isShown: whether its wedding's program is here; else nothing of its segments is told.
  ///   - last: the number of what the program has shown last of it with another process, where that
  ///     was the last of all.
  /// - Returns: what is to be told.
  mutating func take(_ camera: ElderCamera?, isShown: Bool, after last: Int? = nil) -> [Step] {
    guard let camera, camera.isThere else {
      defer { self = GuestView() }
      return round == nil ? [] : isLive ? [.lost, .gone] : [.gone]
    }
    var steps: [Step] = []
    if camera.round != round {
      if isLive { steps.append(.lost) }
      steps.append(.began)
      self = GuestView()
      (round, isOpen) = (camera.round, true)
    }
    if camera.isLive {
      isOpen = true
      steps += isShown ? show(camera.pieces, after: last) : isLive ? [] : [.live]
      isLive = true
    } else if isLive {
      steps.append(.lost)
      (isLive, first) = (false, nil)
    }
    if !camera.isOpen, isOpen {
      steps.append(.over)
      isOpen = false
    }
    return steps
  }

  /// Those that were not told, each number by itself; only the newest one, what its program has yet
  /// to show, and what comes after it, where none was.
  private mutating func show(_ pieces: [ElderCamera.Piece], after last: Int?) -> [Step] {
    let sources = pieces.filter { $0.rendition == Renditions.sourceName }
    let newest = sources.last?.sequence
    guard let first = first ?? newest.map({ min($0, last.map { $0 + 1 } ?? $0) }) else { return [] }
    self.first = first
    let fresh = pieces.filter {
      $0.sequence >= first && !told.contains("\($0.rendition)/\($0.name)")
    }
    told = Set(pieces.map { "\($0.rendition)/\($0.name)" })
    return Dictionary(grouping: fresh, by: \.sequence).sorted { $0.key < $1.key }
      .map { .show($0.value) }
  }
}
