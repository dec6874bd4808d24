import EventLoop
import Media
import Viewers

/// What a follower knows of its stream, and what of an answer is news.
struct LiveView {
  /// For how long a rendition counts as watched after a request for its playlist, in seconds.
  private static let watchedFor: UInt64 = 30
  /// How many of a rendition's newest segments are fetched at most when it begins to be watched.
  private static let fetchedAtOnce = 3

  /// Told of any request for the stream.
  let interest: RenditionInterest
  private var interests: [String: RenditionInterest] = [:]
  /// What viewers have.
  private var feed: StreamFeed?
  private var fetched: Set<String> = []
  /// Since when answers have been older than that.
  private var staleSince: MonotonicTime?
  private(set) var snapshot: StreamSnapshot?

  init(interest: RenditionInterest) { self.interest = interest }

  var isOver: Bool { feed?.isOver ?? false }

  /// The path and query of the question for what is newer.
  func question(_ key: StreamKey, now: UInt64) -> String {
    var text = "/cluster/live/\(key.wedding)/\(key.camera)"
    guard let feed else { return text }
    text += "?after=\(feed.version)&launch=\(feed.launch)"
    let watched = watched(now: now)
    if !watched.isEmpty { text += "&want=\(watched.joined(separator: ","))" }
    return text
  }

  private func watched(now: UInt64) -> [String] {
    interests.filter { $0.value.isFresh(within: Self.watchedFor, now: now) }.map(\.key).sorted()
  }

  /// Takes an answer, or refuses one that is older than what viewers have: a playlist never goes
  /// back.
  ///
  /// - Parameters:
  ///   - answer: as it came.
  ///   - grace: after so long of nothing but older ones they are believed: all numbers have begun
  ///     anew.
  ///   - now: by the monotonic clock.
  /// - Returns: what viewers are to have; nil where they keep what they have.
  mutating func take(
    _ answer: StreamFeed, grace: Duration, now: MonotonicTime
  ) -> StreamFeed? {
    guard let feed, feed.key == answer.key else {
      staleSince = nil
      return answer
    }
    if answer.launch == feed.launch, answer.version <= feed.version { return nil }
    var merged = answer
    var isNewer = answer.renditions.isEmpty || feed.renditions.isEmpty
    for (index, rendition) in answer.renditions.enumerated() {
      guard let known = feed.renditions.first(where: { $0.name == rendition.name }) else {
        isNewer = true
        continue
      }
      if rendition.nextSequence < known.nextSequence {
        merged.renditions[index] = known
      } else {
        isNewer = true
      }
    }
    if isNewer {
      staleSince = nil
      return merged
    }
    let since = staleSince ?? now
    staleSince = since
    guard now - since > grace else { return nil }
    staleSince = nil
    return answer
  }

  /// Segments of watched renditions that have not been fetched yet; they count as fetched from now on.
  mutating func fresh(
    _ feed: StreamFeed, now: UInt64
  ) -> [(rendition: String, segment: String)] {
    let watched = Set(watched(now: now))
    var fresh: [(rendition: String, segment: String)] = []
    var there: Set<String> = []
    for rendition in feed.renditions {
      for segment in rendition.segments { there.insert("\(rendition.name)/\(segment)") }
      guard watched.contains(rendition.name), !feed.isOver else { continue }
      for segment in rendition.segments.suffix(Self.fetchedAtOnce)
      where fetched.insert("\(rendition.name)/\(segment)").inserted {
        fresh.append((rendition.name, segment))
      }
    }
    fetched.formIntersection(there)
    return fresh
  }

  /// What viewers get from now on.
  mutating func snapshot(of feed: StreamFeed, version: UInt64) -> StreamSnapshot? {
    for rendition in feed.renditions where interests[rendition.name] == nil {
      interests[rendition.name] = RenditionInterest()
    }
    guard
      let made = feed.snapshot(
        version: version, interests: interests, anyInterest: interest)
    else { return nil }
    self.feed = feed
    snapshot = made
    return made
  }
}
