import HLS

/// A media playlist taken apart: what stands before its segments, and each of them.
///
/// Source: RFC 8216, 4.3.2 and 4.3.3.
struct MediaPlaylistText: Equatable {
  /// A segment with the tags that are its own.
  struct Entry: Equatable {
    let sequence: Int
    /// As it stands in the playlist, without the folder.
    let name: String
    /// In seconds.
    let duration: Double
    /// Whether nothing of what stood before it goes on.
    private(set) var isDiscontinuity: Bool
    /// The tags and the address.
    var lines: [String]
    /// The tag of the key that it is encrypted with; nil for none.
    let key: String?

    /// Whether players are told not to ask for it.
    var isGap: Bool { lines.contains(MediaPlaylistText.gapTag) }

    /// The same, which nobody can have.
    var gap: Entry {
      var gap = self
      if !isGap { gap.lines.insert(MediaPlaylistText.gapTag, at: lines.count - 1) }
      return gap
    }

    /// The same after a segment that it doesn't go on from.
    fileprivate var afterAnother: Entry {
      var entry = self
      if !isDiscontinuity { entry.lines.insert(MediaPlaylistText.breakTag, at: 0) }
      entry.isDiscontinuity = true
      if let key, !lines.contains(key) { entry.lines.insert(key, at: 0) }
      return entry
    }

    /// One that comes after this one, and of which nothing is known.
    ///
    /// - Parameter sequence: its number.
    /// - Returns: a gap as long as this one is.
    func gap(_ sequence: Int) -> Entry {
      let name = "\(sequence)-gap.ts"
      let length = lines.first { $0.hasPrefix("#EXTINF:") } ?? "#EXTINF:\(duration),"
      return Entry(
        sequence: sequence, name: name, duration: duration, isDiscontinuity: false,
        lines: [MediaPlaylistText.gapTag, length, name], key: key)
    }
  }

  private static let gapTag = "#EXT-X-GAP"
  private static let breakTag = "#EXT-X-DISCONTINUITY"
  private static let endTag = "#EXT-X-ENDLIST"

  /// A playlist's text with an end.
  static func ended(_ text: String) -> String {
    text.contains(endTag) ? text : text + endTag + "\n"
  }

  /// All tags of the whole but the two that count.
  private let header: [String]
  let targetDuration: Int
  /// How many discontinuities there were before the first entry.
  private(set) var discontinuitySequence: Int
  private(set) var entries: [Entry]
  private let isEnded: Bool

  private static let ownTags = [
    "#EXTINF", "#EXT-X-BYTERANGE", "#EXT-X-DISCONTINUITY", "#EXT-X-KEY", "#EXT-X-MAP",
    "#EXT-X-PROGRAM-DATE-TIME", "#EXT-X-GAP", "#EXT-X-DATERANGE", "#EXT-X-BITRATE",
  ]

  /// The number of a playlist's first segment, as it says in its head; nil where it doesn't.
  static func firstSequence(of text: String) -> Int? {
    let tag = "#EXT-X-MEDIA-SEQUENCE:"
    let line = text.split(separator: "\n", maxSplits: 16).first { $0.hasPrefix(tag) }
    return line.flatMap { number($0.dropFirst(tag.count)) }
  }

  /// A number that a playlist may have, with room for what is added to it; nil for others.
  private static func number(_ text: Substring) -> Int? {
    Int(text).flatMap { (0..<1 << 53).contains($0) ? $0 : nil }
  }

  /// A playlist's text with so much added to its two numbers; the names of its segments stay.
  static func shifted(_ text: String, sequence: Int, discontinuity: Int) -> String {
    let tags = [
      ("#EXT-X-MEDIA-SEQUENCE:", sequence), ("#EXT-X-DISCONTINUITY-SEQUENCE:", discontinuity),
    ]
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      for (tag, more) in tags where line.hasPrefix(tag) {
        return number(line.dropFirst(tag.count)).map { "\(tag)\($0 + more)" } ?? String(line)
      }
      return String(line)
    }
    return lines.joined(separator: "\n")
  }

  /// Reads a playlist; nil where a segment has no number.
  init?(_ text: String) {
    var header: [String] = []
    var entries: [Entry] = []
    var lines: [String] = []
    var target = 1
    var breaks = 0
    var key: String?
    var duration = 0.0
    var isDiscontinuity = false
    var isEnded = false
    for part in text.split(separator: "\n") {
      let line = String(part)
      guard line.hasPrefix("#") else {
        guard let dash = line.firstIndex(of: "-"), let sequence = Self.number(line[..<dash])
        else {
          return nil
        }
        lines.append(line)
        entries.append(
          Entry(
            sequence: sequence, name: line, duration: duration, isDiscontinuity: isDiscontinuity,
            lines: lines, key: key))
        lines = []
        isDiscontinuity = false
        continue
      }
      let name = line.prefix { $0 != ":" }
      switch name {
      case "#EXT-X-MEDIA-SEQUENCE": continue
      case "#EXT-X-DISCONTINUITY-SEQUENCE":
        breaks = Self.number(line.dropFirst(name.count + 1)) ?? 0
      case Self.endTag: isEnded = true
      default:
        guard Self.ownTags.contains(String(name)) else {
          if name == "#EXT-X-TARGETDURATION" {
            target = Int(line.dropFirst(name.count + 1)) ?? 1
          } else {
            header.append(line)
          }
          continue
        }
        if name == "#EXTINF" {
          duration = Double(line.dropFirst(name.count + 1).prefix { $0 != "," }) ?? 0
        } else if name == "#EXT-X-KEY" {
          key = line.contains("METHOD=NONE") ? nil : line
        } else if name == Self.breakTag {
          isDiscontinuity = true
        }
        lines.append(line)
      }
    }
    self.header = header
    self.entries = entries
    targetDuration = target
    discontinuitySequence = breaks
    self.isEnded = isEnded
  }

  /// Where the stream goes on after it; nil where it lists nothing.
  ///
  /// What it doesn't say is as at the beginning: the stream's own time line.
  var stateAfter: WindowState? {
    guard let last = entries.last else { return nil }
    let tag = "#EXT-X-PROGRAM-DATE-TIME:"
    var date = 0.0
    for entry in entries {
      let told = entry.lines.first { $0.hasPrefix(tag) }?.dropFirst(tag.count)
      if let told, let start = ProgramDate.milliseconds(told) { date = Double(start) }
      date += entry.duration * 1_000
    }
    return WindowState(
      nextSequence: last.sequence + 1,
      discontinuitySequence: discontinuitySequence + entries.count { $0.isDiscontinuity },
      targetDuration: targetDuration, endDate: Int64(min(max(0, date.rounded()), 1e15)))
  }

  /// The same without its first segments, in whose places others stand that it doesn't go on from.
  ///
  /// - Parameters:
  ///   - last: the number of the last one that goes.
  ///   - follows: whether that other one is listed before what is left, though none goes any more.
  /// - Returns: what is left.
  func without(upTo last: Int, follows: Bool = false) -> MediaPlaylistText {
    let gone = entries.prefix { $0.sequence <= last }
    guard !gone.isEmpty || follows && entries.first?.sequence == last + 1 else { return self }
    var rest = self
    rest.entries.removeFirst(gone.count)
    rest.discontinuitySequence += gone.count { $0.isDiscontinuity }
    guard let first = rest.entries.first else { return rest }
    // Its own tag adds one to the number, in place of one of those that have gone.
    if !first.isDiscontinuity { rest.discontinuitySequence -= 1 }
    rest.entries[0] = first.afterAnother
    return rest
  }

  /// The same with segments of an earlier playlist before its own.
  ///
  /// - Parameters:
  ///   - earlier: their numbers run on to its first.
  ///   - breaks: how many discontinuities there were before the first of them.
  ///   - target: of the playlist that they stood in.
  /// - Returns: the text.
  func text(after earlier: ArraySlice<Entry>, breaks: Int, target: Int) -> String {
    guard let first = earlier.first ?? entries.first else { return "" }
    var lines = header
    // RFC 8216bis, 8: gaps came with the eighth version.
    if earlier.contains(where: \.isGap) {
      lines = lines.map { $0.hasPrefix("#EXT-X-VERSION:") ? "#EXT-X-VERSION:8" : $0 }
    }
    lines.insert("#EXT-X-TARGETDURATION:\(max(targetDuration, target))", at: min(2, lines.count))
    lines.append("#EXT-X-MEDIA-SEQUENCE:\(first.sequence)")
    lines.append(
      "#EXT-X-DISCONTINUITY-SEQUENCE:\(earlier.isEmpty ? discontinuitySequence : breaks)")
    if let key = first.key, !first.lines.contains(key) { lines.append(key) }
    for entry in earlier { lines += entry.lines }
    if let last = earlier.last, last.key != nil, let next = entries.first, next.key == nil,
      !next.lines.contains(where: { $0.hasPrefix("#EXT-X-KEY") })
    {
      lines.append("#EXT-X-KEY:METHOD=NONE")
    }
    for entry in entries { lines += entry.lines }
    if isEnded { lines.append(Self.endTag) }
    return lines.joined(separator: "\n") + "\n"
  }
}
