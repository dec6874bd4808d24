/// Segments of a rendition that its last node has listed and its next one hasn't got.
///
/// A player is some segments behind the newest, so what it is about to fetch must stay listed when
/// another node goes on with the stream: those that this edge has are, until they would have left the
/// window anyway.
struct CarriedSegments {
  private var entries: ArraySlice<MediaPlaylistText.Entry> = []
  /// How many discontinuities there were before the first of them.
  private var breaks = 0
  private var targetDuration = 1
  /// How long the playlist was that they come from, in seconds.
  private var span = 0.0

  var isEmpty: Bool { entries.isEmpty }
  var names: [String] { entries.map(\.name) }

  /// Another node goes on.
  ///
  /// - Parameters:
  ///   - before: what viewers had.
  ///   - after: what the node lists.
  ///   - isHere: whether this edge has a segment.
  mutating func begin(
    _ before: MediaPlaylistText, _ after: MediaPlaylistText, isHere: (String) -> Bool
  ) {
    entries = []
    guard let first = after.entries.first?.sequence else { return }
    let listed = before.entries.prefix { $0.sequence < first }
    // Without a hole, and only what can be had.
    guard listed.last?.sequence == first - 1 else { return }
    var start = listed.endIndex
    while start > listed.startIndex, isHere(listed[start - 1].name) { start -= 1 }
    entries = listed[start...]
    span = before.entries.reduce(0) { $0 + $1.duration }
    targetDuration = before.targetDuration
    breaks =
      before.discontinuitySequence + listed[..<start].count { $0.isDiscontinuity }
    trim(after)
  }

  /// Lets go of what has left the window.
  mutating func trim(_ after: MediaPlaylistText) {
    var length = (entries + after.entries).reduce(0) { $0 + $1.duration }
    while let oldest = entries.first, length > span {
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
