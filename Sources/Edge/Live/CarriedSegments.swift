/// Segments of a rendition that its last node has listed and its next one hasn't got.
///
/// A player is some segments behind the newest, so what it is about to fetch must stay listed when
/// another node goes on with the stream: those that this edge has are, until they would have left
/// the window anyway.
///
/// The next node makes what the one before had announced last once more, under the same numbers,
/// for edges that haven't got it. Where viewers have been told of the former, that stays.
struct CarriedSegments {
  /// How many segments in a row may be missing: players wait at a gap for as long as it would last.
  private static let longestHole = 3

  private var entries: ArraySlice<MediaPlaylistText.Entry> = []
  /// Those that have left the playlist, which players may still fetch; with the number that ends
  /// that.
  private var unlisted: [(entry: MediaPlaylistText.Entry, until: Int)] = []
  /// How many discontinuities there were before the first of them.
  private var breaks = 0
  private var targetDuration = 1
  /// How long the playlist may be, in seconds: as long as the one that they come from, or the
  /// window where the stream had not filled it yet.
  private var span = 0.0
  /// The number up to which they stand in place of what the next node has made once more; nil where
  /// it lists none of that.
  private var last: Int?

  /// Whether none is listed.
  var isEmpty: Bool { entries.isEmpty && last == nil }
  /// Whether none can be had any more, either.
  var isOver: Bool { isEmpty && unlisted.isEmpty }
  /// Of those that can be had.
  var names: [String] { entries.filter { !$0.isGap }.map(\.name) }
  /// Of those that are listed no more, and can be had.
  var unlistedNames: [String] { unlisted.filter { !$0.entry.isGap }.map(\.entry.name) }

  /// Another node goes on.
  ///
  /// What can't be had is listed as a gap, which players pass over: one that died may have
  /// announced a segment and sent it to nobody.
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
    unlisted = []
    last = nil
    guard let first = after.entries.first?.sequence else { return }
    let old = before.entries.prefix { $0.sequence < first }
    let kept = Self.kept(of: before.entries[old.endIndex...], besides: after.entries, isHere)
    let listed = before.entries[..<kept.endIndex]
    guard let newest = listed.last else { return }
    let lost = newest.sequence + 1..<max(first, newest.sequence + 1)
    let (start, gaps) = Self.start(of: listed, missing: lost.count, isHere: isHere)
    guard start < listed.endIndex else { return }
    last = kept.last?.sequence
    entries = listed[start...]
    for index in gaps where index >= start { entries[index] = listed[index].gap }
    for sequence in lost { entries.append(newest.gap(sequence)) }
    span = max(window, before.entries.reduce(0) { $0 + $1.duration })
    targetDuration = before.targetDuration
    breaks =
      before.discontinuitySequence + listed[..<start].count { $0.isDiscontinuity }
    trim(after)
  }

  /// Those that the next node has made once more, and that this edge has of the node before.
  private static func kept(
    of listed: ArraySlice<MediaPlaylistText.Entry>, besides others: [MediaPlaylistText.Entry],
    _ isHere: (String) -> Bool
  ) -> ArraySlice<MediaPlaylistText.Entry> {
    let names = Set(others.map(\.name))
    return listed.prefix { !names.contains($0.name) && isHere($0.name) }
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

  /// Lets go of what has left the window, and of all of it where the node has let go of what came
  /// next: players count from the first one.
  mutating func trim(_ after: MediaPlaylistText) {
    let rest = rest(of: after)
    let before = entries
    if let newest = entries.last, let next = rest.entries.first, next.sequence > newest.sequence + 1
    {
      entries = []
    }
    var length = (entries + rest.entries).reduce(0) { $0 + $1.duration }
    // A gap with nothing before it is of no use.
    while let oldest = entries.first, length > span || oldest.isGap {
      length -= oldest.duration
      entries.removeFirst()
      if oldest.isDiscontinuity { breaks += 1 }
    }
    // For as long as the playlist that they stood in, and themselves.
    let newest = rest.entries.last?.sequence ?? before.last?.sequence ?? 0
    let until = newest + entries.count + rest.entries.count + 1
    unlisted.removeAll { $0.until <= newest }
    unlisted += before.prefix(before.count - entries.count).map { ($0, until) }
    if let last, entries.isEmpty, after.entries.first.map({ $0.sequence > last }) ?? true {
      self.last = nil
    }
  }

  /// What a node lists that nothing stands for.
  private func rest(of after: MediaPlaylistText) -> MediaPlaylistText {
    last.map { after.without(upTo: $0, follows: !entries.isEmpty) } ?? after
  }

  /// Whether another segment stands in the place of one of the next node's.
  func standInPlace(of name: String) -> Bool {
    // Also of one that is listed no more: each number can be had once.
    guard let last = last ?? unlisted.last?.entry.sequence,
      let number = Int(name.prefix { $0 != "-" })
    else { return false }
    return number <= last
  }

  /// The playlist that viewers get.
  func text(_ after: MediaPlaylistText) -> String {
    rest(of: after).text(after: entries, breaks: breaks, target: targetDuration)
  }
}
