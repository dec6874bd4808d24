import Media

/// How much of a track's media has come, and has not all been taken by its decoder.
struct LadderBacklog {
  /// Media on one time line.
  private struct Run {
    /// Decoding times of the packet taken last, or else of the first that came, and of the newest.
    var from: MediaTime?
    var to: MediaTime?

    var waiting: MediaTime {
      guard let from, let to, to > from else { return .zero }
      return to - from
    }
  }

  /// The run that is decoded, and those behind it: their time lines have nothing in common.
  private var runs = [Run()]

  var lag: MediaTime { runs.reduce(.zero) { $0 + $1.waiting } }

  /// A packet has come.
  mutating func receive(_ time: MediaTime) {
    let last = runs.count - 1
    if runs[last].from == nil { runs[last].from = time }
    runs[last].to = time
  }

  /// What comes next belongs to another run.
  mutating func receiveEnd() { runs.append(Run()) }

  /// A packet goes to the decoder.
  mutating func take(_ time: MediaTime) { runs[0].from = time }

  /// The decoder has come to the end of a run.
  mutating func takeEnd() {
    runs.removeFirst()
    if runs.isEmpty { runs = [Run()] }
  }
}
