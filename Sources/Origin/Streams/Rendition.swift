import Viewers
import HLS
import Media

/// One rendition of a live stream: its window, and what viewers fetch of it.
///
/// Confined to the stream's owner.
struct Rendition: Sendable {
  /// In addresses: `source`, `720p`.
  let name: String
  private let key: StreamKey
  private let bytes: [UInt8]
  private let outlet: StreamOutlet
  private(set) var window: LiveWindow
  /// The number that its first segment has, or is to have.
  let firstSequence: Int
  private var responses: [SegmentResponse] = []
  /// Of its segments, listed or not.
  private(set) var keptBytes = 0
  /// As it was made when something last changed; nil before the first segment.
  private(set) var snapshot: RenditionSnapshot?

  init(
    _ name: String, of key: StreamKey, window: LiveWindow.Configuration, state: WindowState,
    outlet: StreamOutlet
  ) {
    self.name = name
    self.key = key
    bytes = Array(name.utf8)
    self.window = LiveWindow(configuration: window, state: state)
    firstSequence = state.nextSequence
    self.outlet = outlet
  }

  /// Who watches it, where it is encoded for viewers alone.
  var interest: RenditionInterest?
  /// Who may have it: bit n is the viewers' plan n.
  var viewers: UInt32 = .max

  /// How many segments are kept, listed or not.
  var segmentCount: Int { responses.count }

  /// Appends a segment as viewers get it.
  ///
  /// - Returns: whether there is something new to fetch.
  mutating func append(_ segment: Segment, now: MediaTime) -> Bool {
    let update = window.append(segment, now: now)
    drop(update.expired)
    responses.append(
      SegmentResponse(
        sequence: segment.sequence, name: Array(segment.name.utf8),
        byteCount: segment.bytes.count,
        response: outlet.response(segment, ofWedding: key.wedding)))
    keptBytes += segment.bytes.count
    outlet.archive?.store(segment, of: key.wedding)
    let hasShed = spill(now: now)
    return refresh(hasShed ? window.playlist : update.playlist)
  }

  /// Has the archive alone keep what is older than memory is to hold.
  ///
  /// - Returns: whether the playlist had to be shortened.
  private mutating func spill(beyond length: MediaTime? = nil, now: MediaTime) -> Bool {
    guard let archive = outlet.archive else { return false }
    let (released, isChanged) = window.release(beyond: length, now: now) { segment in
      switch archive.state(segment) {
      case .waiting: .underway
      case .stored: .there
      case .failed: .nowhere
      }
    }
    for segment in released {
      keptBytes -= segment.byteCount
      guard let place = responses.lastIndex(where: { $0.sequence == segment.sequence }) else {
        continue
      }
      responses[place] = SegmentResponse(
        sequence: segment.sequence, name: Array(segment.name.utf8),
        byteCount: segment.byteCount,
        source: .disk(outlet.file(segment, ofWedding: key.wedding, in: archive)))
    }
    return isChanged
  }

  /// Another playlist has all of this one's segments from now on, and goes on by itself.
  func shareArchived() {
    guard let archive = outlet.archive else { return }
    for segment in window.retiredSegments + window.segments { archive.hold(segment) }
  }

  /// Nobody can want any of it again.
  func discard() {
    guard let archive = outlet.archive else { return }
    for segment in window.retiredSegments + window.segments { archive.release(segment) }
  }

  /// Ends its playlist.
  mutating func end(now: MediaTime) -> Bool {
    let update = window.end(now: now)
    drop(update.expired)
    return refresh(update.playlist)
  }

  /// Goes on after an end.
  mutating func reopen() { window.reopen() }

  /// Lets go of segments that nobody may ask for any more.
  mutating func expire(now: MediaTime) -> Bool {
    let expired = window.expire(now: now)
    guard !expired.isEmpty else { return false }
    drop(expired)
    return refresh(window.playlist)
  }

  /// Lets go of the oldest segments before their time (`LiveWindow.shorten`).
  ///
  /// - Returns: how many went.
  mutating func shorten(by bytes: Int, keeping rest: LiveWindow.Rest, now: MediaTime) -> Int {
    let before = keptBytes
    if spill(beyond: .zero, now: now) { _ = refresh(window.playlist) }
    guard before - keptBytes < bytes else { return 1 }
    let update = window.shorten(by: bytes - (before - keptBytes), keeping: rest, now: now)
    drop(update.expired)
    _ = refresh(update.playlist)
    return update.expired.count
  }

  private mutating func drop(_ expired: [Segment]) {
    guard !expired.isEmpty else { return }
    let gone = Set(expired.map(\.sequence))
    responses.removeAll { gone.contains($0.sequence) }
    keptBytes -= expired.reduce(0) { $0 + $1.bytes.count }
    if let archive = outlet.archive { for segment in expired { archive.release(segment) } }
  }

  /// The segments whose largest rate is that of the rendition.
  private static let ratedSegments = 8

  private mutating func refresh(_ playlist: MediaPlaylist?) -> Bool {
    guard let playlist else { return false }
    snapshot = RenditionSnapshot(
      name: bytes, viewers: viewers, interest: interest,
      playlist: PlaylistResponse(
        playlist.text, maximumAge: 1, staleSeconds: max(1, playlist.targetDuration / 2),
        wedding: key.wedding, tag: outlet.tag("p", outlet.nextVersion())),
      nextSequence: playlist.nextSequence, targetDuration: playlist.targetDuration,
      window: window.configuration.length,
      bitrate: window.segments.suffix(Self.ratedSegments).reduce(0) { max($0, $1.bitrate) },
      segments: responses)
    return true
  }
}
