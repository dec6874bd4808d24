import Access
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
  private(set) var interest: RenditionInterest
  /// Told of requests for renditions that have yet to begin.
  let comingInterest: ComingInterest
  private var interests: [String: RenditionInterest] = [:]
  /// What viewers have.
  private var feed: StreamFeed?
  private var fetched: Set<String> = []
  /// What each rendition's last node has listed, by its name.
  private var carried: [String: CarriedSegments] = [:]
  /// Who has told what viewers have of each rendition, by its name.
  private var tellers: [String: Teller] = [:]
  /// When another one was heard first.
  private var switched = MonotonicTime(nanoseconds: 0)
  /// What is added to the numbers of one that has begun anew.
  private var shift = NumberShift()
  /// Since when answers have been older than that.
  private var staleSince: MonotonicTime?
  private(set) var snapshot: StreamSnapshot?

  /// A process, while it has the stream: one that has lost it and gets it back begins anew, with
  /// nothing before that in its playlist.
  private struct Teller: Equatable {
    var launch: String
    var epoch: Int64?

    init(_ feed: StreamFeed) { (launch, epoch) = (feed.launch, feed.epoch) }
  }

  init(interest: RenditionInterest, coming: ComingInterest = ComingInterest()) {
    self.interest = interest
    comingInterest = coming
  }

  /// Goes on from what another follower's viewers have, before any answer of its own.
  ///
  /// - Parameters:
  ///   - before: what that one knew.
  ///   - interest: told of any request for the stream.
  ///   - now: in seconds; what was watched there counts as watched here, too.
  init(after before: LiveView, interest: RenditionInterest, now: UInt64) {
    self = before
    self.interest = interest
    let watched = before.watched(now: now)
    interests = before.interests.mapValues { _ in RenditionInterest() }
    for name in watched { interests[name]?.note(now: now) }
    snapshot = nil
  }

  /// The same stream before anything was told of it; what is added to its numbers stays.
  var anew: LiveView {
    var view = LiveView(interest: interest, coming: comingInterest)
    view.shift = shift
    return view
  }

  var isOver: Bool { feed?.isOver ?? false }
  /// The stream that it is; nil before the first answer.
  var key: StreamKey? { feed?.key }

  /// Whether an answer is about a camera that is its wedding's program no longer, and was told as
  /// that in the moment before there is another one: its viewers are not to have it.
  static func isBetween(_ answer: StreamFeed, askedAs key: StreamKey) -> Bool {
    answer.key != key && !answer.isProgram
  }

  /// What viewers have, with an end; nil before the first answer.
  var ended: StreamFeed? {
    guard snapshot != nil, var feed, !feed.renditions.isEmpty else { return nil }
    feed.isOver = true
    for index in feed.renditions.indices {
      feed.renditions[index].playlist = MediaPlaylistText.ended(feed.renditions[index].playlist)
    }
    return feed
  }

  /// The path and query of the question for what is newer.
  func question(_ key: StreamKey, now: UInt64) -> String {
    var text = "/cluster/live/\(key.wedding)/\(key.camera)"
    guard let feed, snapshot != nil else { return text }
    text += "?after=\(feed.version)&launch=\(feed.launch)"
    let watched = watched(now: now)
    if !watched.isEmpty { text += "&want=\(watched.joined(separator: ","))" }
    return text
  }

  private func watched(now: UInt64) -> [String] {
    interests.filter { $0.value.isFresh(within: Self.watchedFor, now: now) }.map(\.key).sorted()
  }

  /// Whether an answer ends what another process has listed, of which its own has made nothing.
  func isEndOfOthers(_ answer: StreamFeed) -> Bool {
    guard answer.isOver, answer.renditions.isEmpty, let ended, !isOver else { return false }
    return ended.key == answer.key && Teller(ended) != Teller(answer)
  }

  /// Takes an answer, or refuses one that is older than what viewers have: a playlist never goes
  /// back.
  ///
  /// - Parameters:
  ///   - told: as it came.
  ///   - grace: after so long of nothing but older ones they are believed: all numbers have begun
  ///     anew, and those that viewers have go on by themselves from then on.
  ///   - now: by the monotonic clock.
  ///   - isHere: whether this edge has a segment, by its path.
  /// - Returns: what viewers are to have; nil where they keep what they have.
  mutating func take(
    _ told: StreamFeed, grace: Duration, now: MonotonicTime,
    isHere: (String) -> Bool = { _ in false }
  ) -> StreamFeed? {
    if let feed, feed.key != told.key, !Self.isSplit(feed, told) { shift = NumberShift() }
    var answer = shift.shifted(told)
    let isSplit = feed.map { Self.isSplit($0, answer) } ?? false
    guard let feed, feed.key == answer.key || isSplit else {
      staleSince = nil
      carried = [:]
      for rendition in answer.renditions { tellers[rendition.name] = Teller(answer) }
      return answer
    }
    if snapshot != nil, feed.key == answer.key, answer.launch == feed.launch,
      answer.version <= feed.version
    {
      return nil
    }
    // Who has it last, and has made nothing of it, ends what others have made.
    if answer.isOver, answer.renditions.isEmpty, feed.key == answer.key, var last = ended {
      (last.launch, last.epoch, last.version) = (answer.launch, answer.epoch, answer.version)
      staleSince = nil
      return last
    }
    // Who ends a stream has given it up.
    let isSame =
      isSplit || Teller(answer) == Teller(feed) || answer.isOver && answer.launch == feed.launch
    if !isSame { switched = now }
    var merged = answer
    merged.renditions = []
    // The same one may take renditions away, or end the stream; another one has yet to catch up.
    var isNewer = isSame || feed.renditions.isEmpty
    for rendition in answer.renditions {
      let known = feed.renditions.first { $0.name == rendition.name }
      if let known, rendition.nextSequence < known.nextSequence {
        merged.renditions.append(known)
      } else {
        isNewer = true
        merged.renditions.append(carry(rendition, after: known, of: answer, isHere))
        tellers[rendition.name] = Teller(answer)
      }
    }
    for known in feed.renditions
    where !(answer.isOver && answer.launch == feed.launch)
      && tellers[known.name] != Teller(answer) && now - switched < grace
      && !answer.renditions.contains(where: { $0.name == known.name })
    {
      merged.renditions.append(known)
    }
    if isNewer {
      staleSince = nil
      return merged
    }
    let since = staleSince ?? now
    staleSince = since
    guard now - since > grace else { return nil }
    staleSince = nil
    carried = [:]
    shift.grow(for: answer, after: feed)
    answer = shift.shifted(told)
    for rendition in answer.renditions { tellers[rendition.name] = Teller(answer) }
    return answer
  }

  /// Whether a program goes on as a stream of its own, with the numbers of the camera that it was;
  /// its lease is another one.
  private static func isSplit(_ feed: StreamFeed, _ answer: StreamFeed) -> Bool {
    feed.isProgram && feed.wedding == answer.wedding && feed.launch == answer.launch
      && answer.camera == Claims.programCamera
  }

  /// Lists what another node has listed before what this one has of a rendition.
  ///
  /// A node that has lost a stream and got it back is another one: nothing of what viewers had is
  /// in its playlist.
  private mutating func carry(
    _ rendition: StreamFeed.Rendition, after known: StreamFeed.Rendition?, of answer: StreamFeed,
    _ isHere: (String) -> Bool
  ) -> StreamFeed.Rendition {
    // Numbers that are no longer those in the names are beyond it.
    guard shift.isNone else { return rendition }
    var segments = carried[rendition.name] ?? CarriedSegments()
    let first = MediaPlaylistText.firstSequence(of: rendition.playlist)
    let isAnew = known.flatMap { known in first.map { $0 >= known.nextSequence } } ?? false
    let isNew = isAnew || tellers[rendition.name].map { $0 != Teller(answer) } ?? false
    guard isNew || !segments.isOver, let after = MediaPlaylistText(rendition.playlist) else {
      return rendition
    }
    if isNew, let known, let before = MediaPlaylistText(known.playlist) {
      let folder = "/hls/\(answer.wedding)/\(answer.camera)/\(rendition.name)/"
      segments.begin(before, after, window: Double(rendition.window.milliseconds) / 1_000) {
        isHere(folder + $0)
      }
    } else {
      segments.trim(after)
    }
    carried[rendition.name] = segments.isOver ? nil : segments
    guard !segments.isOver else { return rendition }
    var longer = rendition
    if !segments.isEmpty { longer.playlist = segments.text(after) }
    let names = segments.unlistedNames + segments.names
    longer.segments =
      names + rendition.segments.filter { !names.contains($0) && !segments.standInPlace(of: $0) }
    return longer
  }

  /// Segments of watched renditions that have not been fetched yet; they count as fetched from now
  /// on.
  mutating func fresh(
    _ feed: StreamFeed, now: UInt64
  ) -> [(rendition: String, segment: String)] {
    // Who has waited for its first segment will watch it.
    let waited = comingInterest.fresh(within: Self.watchedFor, now: now)
    for rendition in feed.renditions
    where interests[rendition.name] == nil && waited.contains(rendition.name) {
      let interest = RenditionInterest()
      interest.note(now: now)
      interests[rendition.name] = interest
    }
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
    let before = self.feed.flatMap { known in snapshot.map { (known, $0) } }
    guard
      let made = feed.snapshot(
        version: version, interests: interests, anyInterest: interest,
        comingInterest: comingInterest, after: before)
    else { return nil }
    self.feed = feed
    snapshot = made
    return made
  }

  // MARK: A stream that comes home

  /// Knows what viewers have of a stream that another process tells of.
  ///
  /// - Parameters:
  ///   - snapshot: what they have.
  ///   - launch: names that process.
  init(of snapshot: StreamSnapshot, launch: String) {
    self.init(interest: RenditionInterest())
    let feed = StreamFeed(snapshot, launch: launch)
    self.feed = feed
    self.snapshot = snapshot
    for rendition in feed.renditions { tellers[rendition.name] = Teller(feed) }
  }

  /// This process goes on with the stream, as another node would.
  ///
  /// - Parameters:
  ///   - own: what it has of it.
  ///   - launch: names this process.
  ///   - grace: as for `take`.
  ///   - isHere: whether a segment of the other process is here, by its path.
  /// - Returns: what viewers get; nil where that is what there is here from now on.
  mutating func goOn(
    _ own: StreamSnapshot, launch: String, grace: Duration, isHere: (String) -> Bool
  ) -> StreamSnapshot? {
    guard let before = snapshot,
      let told = take(
        StreamFeed(own, launch: launch), grace: grace, now: .now, isHere: isHere),
      let merged = own.carrying(told, after: before, launch: launch)
    else { return nil }
    feed = told
    snapshot = merged
    return merged
  }
}
