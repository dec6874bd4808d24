import HLS
import Media

/// Which segment of which camera is the next one of a program.
///
/// Cameras cut where their own keyframes are, so a switch can't be at the same moment in both. The
/// program takes the first segment of the new camera that there is: the finished one where half of
/// it is new, else the one that is being written. What viewers see is so a little of the same time
/// twice, or of none, never more than half a segment of none; and a switch is shown within one
/// segment. Segments of the old camera that come in between are held back. Only after many switches
/// that each showed a moment twice one has to be waited over, and one more of the old camera is
/// shown.
///
/// Pure, and confined to the program. What the program shows twice makes its dates run ahead of the
/// clock's; they never go back.
struct ProgramSequencer {
  /// A place in the program: a segment of a camera under the program's number.
  struct Slot {
    let camera: String
    /// The camera's own.
    let sequence: Int
    /// Of the program before it.
    let state: WindowState
    let isDiscontinuity: Bool
    let programDate: Int64

    /// The program's number.
    var number: Int { state.nextSequence }

    /// Whether another segment of the camera stands in the same place.
    func standing(_ segment: Segment) -> Segment {
      segment.standing(
        after: state, isDiscontinuity: isDiscontinuity, programDate: programDate)
    }
  }

  /// How far dates may run ahead, in lengths of the new camera's segment: beyond it the program
  /// waits for the next one, and shows that.
  private static let mostRepeated: Int64 = 2

  /// The program after its last segment.
  private(set) var state: WindowState
  /// Whose segments go in.
  private(set) var current: String?
  /// Whose are to go in.
  private(set) var pending: String?
  /// Whether a segment of that one was waited over.
  ///
  /// A second one never is: dates may be ahead for other reasons than what was shown twice, and for
  /// ever.
  private var hasWaited = false
  private var lastSequence: Int?
  /// Whether it is known how far dates run ahead of the camera's that goes on.
  private var isAligned = true
  /// Whose segment another node has announced last, until something is shown here.
  ///
  /// Its camera makes it once more, for edges that haven't got it: it takes the same place. Edges
  /// that have it leave out what stands in that place here.
  private var announced: ShownPlace?
  private var held: Segment?
  /// From the camera's dates to the program's, in milliseconds.
  private var shift: Int64 = 0

  /// Starts a program that has no segments in memory.
  ///
  /// - Parameters:
  ///   - state: after its last segment.
  ///   - shown: whose segment that was; nil where that isn't known, or nobody makes it once more.
  init(_ state: WindowState, after shown: ShownPlace? = nil) {
    self.state = state
    announced = state.isResumed ? shown : nil
  }

  /// Starts one that is to begin as somebody knows.
  init(_ start: ProgramStart) {
    if start.isLeft, let last = start.shown {
      self.init(start.state, leftAfter: last)
    } else {
      self.init(start.state, after: start.shown)
    }
  }

  /// Begins elsewhere, where nothing has been shown yet.
  ///
  /// - Parameters:
  ///   - state: after the last segment that another node has shown.
  ///   - shown: whose that was.
  /// - Returns: false where something has been shown.
  mutating func begin(_ state: WindowState, after shown: ShownPlace) -> Bool {
    guard current == nil else { return false }
    self.state = state
    announced = state.isResumed ? shown : nil
    return true
  }

  /// Starts a program that goes on from a camera's own playlist.
  init(_ state: WindowState, goingOnFrom camera: String) {
    self.state = state
    current = camera
    lastSequence = state.nextSequence - 1
  }

  /// Starts a program that another process of this node has left, and that nobody makes anything of
  /// once more.
  ///
  /// - Parameters:
  ///   - state: after its last segment.
  ///   - last: whose segment that was.
  init(_ state: WindowState, leftAfter last: ShownPlace) {
    self.state = state
    current = last.camera
    lastSequence = last.sequence
    isAligned = false
  }

  /// What another process has shown last, as long as nothing has been shown here.
  var leftAfter: ShownPlace? {
    guard !isAligned, let current, let lastSequence else { return nil }
    return ShownPlace(camera: current, sequence: lastSequence)
  }

  /// Another camera is to be shown.
  ///
  /// - Parameters:
  ///   - camera: which.
  ///   - last: its last segment, where it is one of its running publisher.
  /// - Returns: places that are decided by that.
  mutating func show(_ camera: String, last: Segment?) -> [Slot] {
    if camera == current {
      pending = nil
      return takeHeld()
    }
    if camera != pending { hasWaited = false }
    pending = camera
    guard let last, !isShown(last, of: camera) else { return [] }
    let length = last.duration.milliseconds
    guard current == nil || repeated(last) * 2 <= length else { return [] }
    return [enter(camera, last)]
  }

  /// A camera's segment is finished.
  ///
  /// - Returns: places that are decided by that.
  mutating func take(_ segment: Segment, of camera: String) -> [Slot] {
    if camera == pending {
      if isShown(segment, of: camera) { return [] }
      // A program that has come from another node waits for no clock.
      guard
        current == nil || hasWaited
          || repeated(segment) <= Self.mostRepeated * segment.duration.milliseconds
      else {
        hasWaited = true
        return []
      }
      return [enter(camera, segment)]
    }
    guard camera == current, segment.sequence > lastSequence ?? -1 else { return [] }
    guard pending != nil else { return [append(segment)] }
    let slots = takeHeld()
    held = segment
    return slots
  }

  /// The camera that was to be shown is not to be had; the one before goes on.
  mutating func cancel() -> [Slot] {
    pending = nil
    return takeHeld()
  }

  private mutating func takeHeld() -> [Slot] {
    guard let segment = held else { return [] }
    held = nil
    return [append(segment)]
  }

  private mutating func enter(_ camera: String, _ segment: Segment) -> Slot {
    held = nil
    pending = nil
    current = camera
    lastSequence = nil
    return append(segment)
  }

  /// Whether another node has shown it, and something after it: edges have had it for as long as
  /// that lasts.
  private func isShown(_ segment: Segment, of camera: String) -> Bool {
    announced.map { camera == $0.camera && segment.sequence < $0.sequence } ?? false
  }

  /// Takes the last place back where the segment that stood in it has been made once more.
  private mutating func reopen(for segment: Segment) -> Bool {
    defer { announced = nil }
    guard let announced, announced.camera == current, announced.sequence == segment.sequence else {
      return false
    }
    state.nextSequence -= 1
    state.endDate = max(0, state.endDate - segment.duration.milliseconds)
    return true
  }

  private mutating func append(_ segment: Segment) -> Slot {
    let isAgain = reopen(for: segment)
    let goesOn = lastSequence.map { $0 + 1 == segment.sequence } ?? false
    // Edges that have what is made once more count the discontinuity behind it.
    let isDiscontinuity = (state.isResumed || isAgain) && (!goesOn || segment.isDiscontinuity)
    if isDiscontinuity || !goesOn || !isAligned { shift = max(0, repeated(segment)) }
    isAligned = true
    let slot = Slot(
      camera: current ?? "", sequence: segment.sequence, state: state,
      isDiscontinuity: isDiscontinuity, programDate: segment.programDate + shift)
    lastSequence = segment.sequence
    state = slot.standing(segment).stateAfter
    return slot
  }

  /// How much of a segment's time has been shown, in milliseconds; less than 0 where some was not.
  private func repeated(_ segment: Segment) -> Int64 { state.endDate - segment.programDate }
}
