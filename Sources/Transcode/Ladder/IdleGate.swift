import Media

/// Keeps media out of the worker while no rung is wanted, from cut to cut.
///
/// Decoding costs, and so does encoding sound: a stream that nobody watches in another quality
/// should cost neither. The last second of sound is kept, for some of what is played with a
/// segment's first picture may come before it.
struct IdleGate {
  /// What goes in.
  enum Passage: Equatable {
    case frame(Frame, isCut: Bool)
    /// All that went in is encoded; no more comes for a while.
    case rest(Track)
  }

  private var wanted: UInt32 = .max
  /// Where the last segment ends; nil while media goes in.
  private var end: MediaTime?
  private var isSoundAtRest = false
  private var sound: [Frame] = []

  /// How far sound may come from the picture it is played with.
  private static let skew = MediaTime(milliseconds: 1_000)

  /// Takes the rungs that are wanted from the next cut on.
  mutating func want(_ mask: UInt32) { wanted = mask }

  /// Takes a frame.
  ///
  /// - Parameters:
  ///   - frame: as it came.
  ///   - isCut: whether a segment starts with it.
  /// - Returns: what goes in now, in order.
  mutating func admit(_ frame: Frame, isCut: Bool) -> [Passage] {
    guard let end else {
      guard frame.track == .video, isCut, wanted == 0 else { return [.frame(frame, isCut: isCut)] }
      self.end = frame.pts
      isSoundAtRest = false
      return [.rest(.video)]
    }
    switch frame.track {
    case .video: return isCut && frame.isKeyframe && wanted != 0 ? wake(with: frame) : []
    case .audio: return keep(frame, end: end)
    }
  }

  private mutating func wake(with frame: Frame) -> [Passage] {
    end = nil
    defer { sound.removeAll() }
    // Half a frame of sound before the picture does no harm.
    let heard = sound.filter { $0.pts + MediaTime(milliseconds: 20) >= frame.pts }
    return heard.map { .frame($0, isCut: false) } + [.frame(frame, isCut: true)]
  }

  private mutating func keep(_ frame: Frame, end: MediaTime) -> [Passage] {
    if !isSoundAtRest, frame.pts < end { return [.frame(frame, isCut: false)] }
    sound.append(frame)
    sound.removeAll { frame.pts - $0.pts > Self.skew || $0.pts > frame.pts + Self.skew }
    if isSoundAtRest { return [] }
    isSoundAtRest = true
    return [.rest(.audio)]
  }
}
