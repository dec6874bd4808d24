/// A media playlist as a player reads it, and what is wrong with it or with its change.
struct Playlist: Equatable {
  struct Entry: Equatable {
    var name: String
    var duration: Double
    var isDiscontinuity: Bool
  }

  var entries: [Entry] = []
  var mediaSequence = -1
  var discontinuitySequence = -1
  var targetDuration = -1
  var isEnded = false

  init(_ text: String) {
    var duration = -1.0
    var isDiscontinuity = false
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      let value = parts.count > 1 ? String(parts[1]) : ""
      switch parts[0] {
      case "#EXTINF": duration = Double(value.dropLast()) ?? -1
      case "#EXT-X-DISCONTINUITY": isDiscontinuity = true
      case "#EXT-X-MEDIA-SEQUENCE": mediaSequence = Int(value) ?? -1
      case "#EXT-X-DISCONTINUITY-SEQUENCE": discontinuitySequence = Int(value) ?? -1
      case "#EXT-X-TARGETDURATION": targetDuration = Int(value) ?? -1
      case "#EXT-X-ENDLIST": isEnded = true
      default:
        if line.hasPrefix("#") { continue }
        entries.append(
          Entry(name: String(line), duration: duration, isDiscontinuity: isDiscontinuity))
        isDiscontinuity = false
      }
    }
  }

  var names: [String] { entries.map(\.name) }
  var duration: Double { entries.reduce(0) { $0 + $1.duration } }
  /// How many discontinuities there have been up to its end.
  var discontinuities: Int { discontinuitySequence + entries.count { $0.isDiscontinuity } }
  var nextSequence: Int { mediaSequence + entries.count }

  /// What a player could not make sense of, in this playlist or after the one that it had before.
  func problems(after old: Playlist?) -> [String] {
    var problems: [String] = []
    for (offset, entry) in entries.enumerated() {
      if !entry.name.hasPrefix("\(mediaSequence + offset)-") {
        problems.append("\(entry.name) is not number \(mediaSequence + offset)")
      }
      if entry.duration <= 0 || Int(entry.duration.rounded()) > targetDuration {
        problems.append("\(entry.name) lasts \(entry.duration) s of \(targetDuration)")
      }
    }
    guard let old else { return problems }
    if targetDuration != old.targetDuration { problems.append("the target duration changed") }
    let removed = mediaSequence - old.mediaSequence
    if removed < 0 { problems.append("the media sequence went back by \(-removed)") }
    let kept = old.entries.dropFirst(max(0, removed))
    if Array(kept) != Array(entries.prefix(kept.count)) { problems.append("an entry changed") }
    let gone = old.entries.prefix(max(0, removed)).count { $0.isDiscontinuity }
    if discontinuitySequence != old.discontinuitySequence + gone {
      problems.append("\(discontinuitySequence) discontinuities after \(old.discontinuitySequence)")
    }
    return problems
  }
}
