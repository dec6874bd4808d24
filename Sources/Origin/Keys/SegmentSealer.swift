import HLS
import Media
import TLS

/// Encrypts a stream's segments on their way to viewers, where that is wanted: all renditions of
/// one number with one key.
///
/// Confined to the stream's owner. The source's segment of a number decides which key it is; what
/// comes before the stream's first key waits.
struct SegmentSealer {
  /// How many segments may wait for the first key: a store that hangs costs as much memory.
  private static let mostWaiting = 16
  /// For how many numbers the key is remembered, for renditions that come late.
  private static let remembered = 64

  private var schedule: KeySchedule?
  private let renditions: Int
  private var waiting: [(place: Renditions.Place, segment: Segment)] = []
  private var keys: [Int: StreamKeyMaterial] = [:]
  private var retired: [StreamKeyMaterial] = []

  /// Makes one.
  ///
  /// - Parameters:
  ///   - schedule: nil passes segments on as they are.
  ///   - renditions: how many the stream has.
  init(_ schedule: KeySchedule?, renditions: Int) {
    self.schedule = schedule
    self.renditions = renditions
  }

  /// Takes a key that viewers can have from now on.
  mutating func add(_ key: StreamKeyMaterial) { schedule?.add(key) }

  /// Another key is wanted with the next number.
  mutating func rotate() { schedule?.rotate() }

  /// The key that was asked for may never come, as who asked has gone.
  mutating func askAgain() { schedule?.askAgain() }

  /// Whether a key is to be made, which `add` is then given; true once for each.
  mutating func takeWant() -> Bool { schedule?.takeWant() ?? false }

  /// The keys that encrypt no more, since the last call.
  mutating func takeRetired() -> [StreamKeyMaterial] {
    defer { retired.removeAll() }
    return retired
  }

  /// The keys that it has.
  var held: [StreamKeyMaterial] { schedule?.held ?? [] }

  /// Whether more waits for a key than can.
  var isStuck: Bool { waiting.count > Self.mostWaiting * renditions }

  /// What waits for a key.
  var waitingBytes: Int { waiting.reduce(0) { $0 + $1.segment.bytes.count } }

  /// Takes a finished segment.
  mutating func append(_ segment: Segment, of place: Renditions.Place) {
    waiting.append((place, segment))
  }

  /// The next segment that viewers can have.
  ///
  /// - Parameter now: the owner's monotonic clock.
  /// - Returns: nil where none is left, or those that are left wait for a key.
  /// - Throws: what libcrypto says; the segment is then lost.
  mutating func next(now: MediaTime) throws(TLSError) -> (
    place: Renditions.Place, segment: Segment
  )? {
    guard let first = waiting.first else { return nil }
    guard schedule != nil else { return waiting.removeFirst() }
    guard let key = key(for: first, now) else { return nil }
    waiting.removeFirst()
    let bytes = try SegmentCipher.encrypt(
      first.segment.bytes, key: key.bytes, sequence: first.segment.sequence)
    return (first.place, first.segment.sealed(bytes, with: key.segmentKey))
  }

  private mutating func key(
    for turn: (place: Renditions.Place, segment: Segment), _ now: MediaTime
  ) -> StreamKeyMaterial? {
    let sequence = turn.segment.sequence
    if let known = keys[sequence] { return known }
    guard let turn = schedule?.key(now: now) else { return nil }
    if let old = turn.retired { retired.append(old) }
    keys[sequence] = turn.key
    if keys.count > Self.remembered, let oldest = keys.keys.min() { keys[oldest] = nil }
    return turn.key
  }
}
