import Media

/// One track of a rung: frames that an encoder has made and no segment has yet.
struct RungTrack {
  private var frames: [Frame] = []
  /// Configurations, each with the time of the first frame that it is for.
  private var changes: [(from: MediaTime, configuration: TrackConfiguration)] = []
  /// For the frames that come next.
  private var pending: TrackConfiguration?
  /// Frames before it are another segment's, which is made.
  private var floor: MediaTime?
  private(set) var bytes = 0

  /// The configuration that came last.
  var latest: TrackConfiguration? { pending ?? changes.last?.configuration }

  mutating func configure(_ configuration: TrackConfiguration) { pending = configuration }

  mutating func append(_ frame: Frame) {
    if let floor, frame.pts < floor { return }
    if let configuration = pending {
      changes.append((frame.pts, configuration))
      pending = nil
    }
    frames.append(frame)
    bytes += frame.keptBytes
  }

  /// Whether a frame at or after a time has come: none before it follows.
  func has(reached time: MediaTime) -> Bool { frames.last.map { $0.pts >= time } ?? false }

  /// Whether so many frames have come that are shown before a time.
  func has(_ count: Int, before time: MediaTime) -> Bool {
    frames.count >= count && frames.count { $0.pts < time } >= count
  }

  /// Takes the frames that are shown before a time.
  ///
  /// - Parameter time: nil takes all.
  /// - Returns: what they are coded with, nil where there are none, and the frames.
  mutating func take(before time: MediaTime?) -> (TrackConfiguration?, [Frame]) {
    let end = time.flatMap { time in frames.firstIndex { $0.pts >= time } } ?? frames.count
    let taken = Array(frames[..<end])
    frames.removeFirst(end)
    bytes -= taken.reduce(0) { $0 + $1.keptBytes }
    if let time { floor = time }
    guard let first = taken.first else { return (nil, []) }
    let current = changes.lastIndex { $0.from <= first.pts } ?? changes.startIndex
    changes.removeFirst(min(current, max(0, changes.count - 1)))
    return (changes.first?.configuration, taken)
  }

  /// Forgets what an encoder has made that is gone; another one makes it again.
  mutating func restart(from time: MediaTime?) {
    if let latest { pending = latest }
    frames.removeAll()
    changes.removeAll()
    bytes = 0
    floor = time
  }
}
