/// Segments of a rendition that its last node has listed and its next one hasn't got.
///
/// A player is some segments behind the newest, so what it is about to fetch must stay listed when
/// another node goes on with the stream: those that this edge has are, until they would have left the
/// window anyway.
struct CarriedSegments {
  /// How many segments in a row may be missing: players wait at a gap for as long as it would last.
  private static let longestHole = 3

  private var entries: ArraySlice<MediaPlaylistText.Entry> = []
  /// How many discontinuities there were before the first of them.
  private var breaks = 0
  private var targetDuration = 1
  /// How long the playlist may be, in seconds: as long as the one that they come from, or the window
  /// where the stream had not filled it yet.
  private var span = 0.0

  var isEmpty: Bool { entries.isEmpty }
  /// Of those that can be had.
  var names: [String] { entries.filter { !$0.isGap }.map(\.name) }

  /// Another node goes on.
  ///
  /// What can't be had is listed as a gap, which players pass over: one that died may have announced a
  /// segment and sent it to nobody.
  ///
  /// - Parameters:
  ///   - before: what viewers had.
  ///   - after: what the node lists.
  ///   - window: how much it lists when there is so much, in seconds; 0 where that isn't known.
  ///   - isHere: whether this edge has a segment.
  mutating func begin(
    _ before: MediaPlaylistText, _ after: MediaPlaylistText, window: Double = 0,
    isHere: (String) -> Bool
  ) {
    entries = []
    guard let first = after.entries.first?.sequence else { return }
    let listed = before.entries.prefix { $0.sequence < first }
    guard let last = listed.last else { return }
    let lost = last.sequence + 1..<first
    let (start, gaps) = Self.start(of: listed, missing: lost.count, isHere: isHere)
    guard start < listed.endIndex else { return }
    entries = listed[start...]
    for index in gaps where index >= start { entries[index] = listed[index].gap }
    for sequence in lost { entries.append(last.gap(sequence)) }
    span = max(window, before.entries.reduce(0) { $0 + $1.duration })
    targetDuration = before.targetDuration
    breaks =
      before.discontinuitySequence + listed[..<start].count { $0.isDiscontinuity }
    trim(after)
  }

  /// Where what is carried begins, and which of it can't be had: nothing before a long hole.
  private static func start(
    of listed: ArraySlice<MediaPlaylistText.Entry>, missing: Int, isHere: (String) -> Bool
  ) -> (start: Int, gaps: [Int]) {
    var start = listed.endIndex
    var gaps: [Int] = []
    var hole = missing
    guard hole <= longestHole else { return (start, gaps) }
    for index in listed.indices.reversed() {
      if isHere(listed[index].name) {
        (start, hole) = (index, 0)
      } else {
        gaps.append(index)
        hole += 1
      }
      if hole > longestHole { break }
    }
    return (start, gaps)
  }

  /// Lets go of what has left the window.
  mutating func trim(_ after: MediaPlaylistText) {
    var length = (entries + after.entries).reduce(0) { $0 + $1.duration }
    // A gap with nothing before it is of no use.
    while let oldest = entries.first, length > span || oldest.isGap {
      length -= oldest.duration
      entries.removeFirst()
      if oldest.isDiscontinuity { breaks += 1 }
    }
  }

  /// The playlist that viewers get.
  func text(_ after: MediaPlaylistText) -> String {
    after.text(after: entries, breaks: breaks, target: targetDuration)
  }
}
