@testable import HLS

/// Checks each playlist of a stream by itself and against the one before, by the rules of RFC 8216.
struct PlaylistChecker {
  struct Entry: Equatable {
    var name: String
    var duration: Double
    var date: String
    var isDiscontinuity: Bool
  }

  private(set) var problems: [String] = []
  private(set) var entries: [Entry] = []
  private(set) var mediaSequence = 0
  private(set) var discontinuitySequence = 0
  private(set) var targetDuration = 0
  private(set) var isIndependent = false
  private(set) var isEnded = false
  private var count = 0

  /// Takes the next version of the playlist.
  mutating func take(_ text: [UInt8]) {
    let old = self
    entries = []
    isIndependent = false
    isEnded = false
    var lines = String(decoding: text, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    if lines.first != "#EXTM3U" { problems.append("no EXTM3U") }
    if lines.popLast() != "" { problems.append("no line end at the end") }
    var duration: Double?
    var date = ""
    var isDiscontinuity = false
    var seen = Set<Substring>()
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      let value = parts.count > 1 ? String(parts[1]) : ""
      if isEnded { problems.append("a line after ENDLIST") }
      switch parts[0] {
      case "#EXTINF": duration = Double(value.dropLast())
      case "#EXT-X-PROGRAM-DATE-TIME": date = value
      case "#EXT-X-DISCONTINUITY": isDiscontinuity = true
      default:
        if line.hasPrefix("#") {
          if !seen.insert(parts[0]).inserted { problems.append("\(parts[0]) twice") }
          if !entries.isEmpty, line != "#EXT-X-ENDLIST" { problems.append("\(line) below") }
        }
        switch parts[0] {
        case "#EXT-X-TARGETDURATION": targetDuration = Int(value) ?? -1
        case "#EXT-X-MEDIA-SEQUENCE": mediaSequence = Int(value) ?? -1
        case "#EXT-X-DISCONTINUITY-SEQUENCE": discontinuitySequence = Int(value) ?? -1
        case "#EXT-X-INDEPENDENT-SEGMENTS": isIndependent = true
        case "#EXT-X-ENDLIST": isEnded = true
        case "#EXT-X-VERSION", "#EXT-X-SERVER-CONTROL": break
        default:
          guard !line.hasPrefix("#") else {
            problems.append("unknown line \(line)")
            break
          }
          guard let length = duration else {
            problems.append("\(line) without EXTINF")
            break
          }
          entries.append(
            Entry(
              name: String(line), duration: length, date: date, isDiscontinuity: isDiscontinuity))
          duration = nil
          date = ""
          isDiscontinuity = false
        }
      }
    }
    checkAlone()
    if count > 0 { check(against: old) }
    count += 1
  }

  private mutating func checkAlone() {
    if targetDuration < 1 { problems.append("no target duration") }
    for entry in entries {
      if Int(entry.duration.rounded()) > targetDuration {
        problems.append("\(entry.name) lasts \(entry.duration) s of \(targetDuration)")
      }
      if entry.duration <= 0 { problems.append("\(entry.name) lasts \(entry.duration) s") }
      if entry.date.count != 24 { problems.append("\(entry.name) has no date") }
    }
    for (offset, entry) in entries.enumerated()
    where !entry.name.hasPrefix("\(mediaSequence + offset)-") {
      problems.append("\(entry.name) isn't number \(mediaSequence + offset)")
    }
    if zip(entries, entries.dropFirst()).contains(where: { $0.date >= $1.date }) {
      problems.append("dates go back")
    }
  }

  private mutating func check(against old: PlaylistChecker) {
    if targetDuration != old.targetDuration { problems.append("the target duration changed") }
    if mediaSequence < old.mediaSequence { problems.append("the media sequence went back") }
    if old.isEnded { problems.append("a playlist after the end") }
    if isIndependent, !old.isIndependent { problems.append("independent again") }
    let removed = mediaSequence - old.mediaSequence
    let kept = old.entries.dropFirst(removed)
    if removed >= old.entries.count, !old.entries.isEmpty { problems.append("nothing in common") }
    if Array(kept) != Array(entries.prefix(kept.count)) { problems.append("an entry changed") }
    let gone = old.entries.prefix(removed).count { $0.isDiscontinuity }
    if discontinuitySequence != old.discontinuitySequence + gone {
      problems.append(
        "discontinuity sequence \(discontinuitySequence) after \(old.discontinuitySequence)")
    }
  }
}
