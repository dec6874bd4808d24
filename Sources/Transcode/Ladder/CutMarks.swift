import Media

/// The times at which segments start, until the pictures that start them come.
struct CutMarks: Equatable {
  private var times: [MediaTime] = []

  /// A segment starts with the picture at a time or, if none is shown then, with the next one.
  mutating func add(_ time: MediaTime) { times.append(time) }

  /// Whether a segment starts with a picture; pictures are asked for in the order of their times.
  mutating func take(at time: MediaTime) -> Bool {
    let before = times.count
    times.removeAll { $0 <= time }
    return times.count < before
  }

  mutating func removeAll() { times.removeAll() }
}
