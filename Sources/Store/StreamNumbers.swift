/// Where one stream's playlist goes on: the numbers that must never go back.
///
/// How it holds after `kill -9`, with a live path that never waits for a disk: numbers are
/// **reserved ahead, in blocks**. `limits` are on disk before a number below them is used; a stream
/// uses numbers from its block and asks for the next block at half of it, in the background. A
/// stream that ends in order writes its exact numbers back. After a crash the next run starts at
/// the limits: some numbers are skipped, which players take as having fallen behind, and none is
/// used twice.
///
/// The alternative, writing each segment's number after it was published and skipping a margin on
/// restart, writes fifty times as often and has no margin that is safe when the disk stalls.
package struct StreamNumbers: Sendable, Equatable {
  /// What a run leaves as it was that comes to nothing.
  package struct Before: Sendable, Equatable {
    package let isOver: Bool
    package let updated: Int64
  }

  /// The two numbers of a media playlist.
  package struct Position: Sendable, Equatable {
    /// EXT-X-MEDIA-SEQUENCE of the next segment.
    package var sequence: UInt64
    /// EXT-X-DISCONTINUITY-SEQUENCE that it will have.
    package var discontinuity: UInt64

    package init(sequence: UInt64, discontinuity: UInt64) {
      self.sequence = sequence
      self.discontinuity = discontinuity
    }

    static let zero = Position(sequence: 0, discontinuity: 0)
  }

  /// How many numbers are reserved at once: six minutes of 3 s segments.
  package static let blockSegments: UInt64 = 128
  /// Discontinuities happen when publishers drop: rarely, so few.
  package static let blockDiscontinuities: UInt64 = 32

  package var name: StreamNumbers.Name
  /// Where the stream goes on.
  package var next: Position
  /// The first numbers that are not reserved.
  package var limits: Position
  /// Grows with each run of the stream; a writer of an earlier run is refused (a fencing token).
  ///
  /// It is not below the time when the run began, so that it grows too where the record was lost
  /// between two runs.
  package var epoch: Int64
  /// The last presentation time that was published, in ticks of 1/90000 s, if any.
  package var lastPTS: Int64?
  /// When this was written, in milliseconds since 1970.
  package var updated: Int64
  /// Whether the stream has ended, and nobody expects its publisher back.
  package var isOver: Bool
  /// What stood there before the run began; nil where nothing did, or that isn't known.
  package private(set) var before: Before?
  /// When the stream went on the air that is not over, in milliseconds since 1970; nil where that
  /// isn't known.
  package var began: Int64?

  package init(
    name: StreamNumbers.Name, next: Position, limits: Position, epoch: Int64,
    lastPTS: Int64?, updated: Int64, isOver: Bool = false,
    began: Int64? = nil
  ) {
    self.began = began
    self.isOver = isOver
    self.name = name
    self.next = next
    self.limits = limits
    self.epoch = epoch
    self.lastPTS = lastPTS
    self.updated = updated
  }

  /// What a new run starts with.
  ///
  /// - Parameters:
  ///   - before: the record that is there; after a crash its `next` is its old `limits`.
  ///   - name: of the stream.
  ///   - now: milliseconds since 1970.
  /// - Returns: the record to store before it is used.
  package static func begin(
    after before: StreamNumbers?, name: StreamNumbers.Name, now: Int64
  ) -> StreamNumbers {
    let next = before?.next ?? .zero
    var run = StreamNumbers(
      name: name, next: next, limits: block(from: next),
      epoch: max((before?.epoch ?? 0) + 1, now), lastPTS: before?.lastPTS, updated: now,
      began: before?.isOver == false ? before?.began : nil)
    run.before = before.map { Before(isOver: $0.isOver, updated: $0.updated) }
    return run
  }

  /// Whether half of a block is used, so that the next one is due.
  package var isLow: Bool {
    limits.sequence < next.sequence + Self.blockSegments / 2
      || limits.discontinuity < next.discontinuity + Self.blockDiscontinuities / 2
  }

  /// The limits with the next block where that is due; never lower than they are.
  ///
  /// Not sooner: who goes on with the stream elsewhere tells by them what this run may have used.
  var extendedLimits: Position {
    guard isLow else { return limits }
    let ahead = Self.block(from: next)
    return Position(
      sequence: max(ahead.sequence, limits.sequence),
      discontinuity: max(ahead.discontinuity, limits.discontinuity))
  }

  /// One block on from a position.
  package static func block(from position: Position) -> Position {
    Position(
      sequence: position.sequence + blockSegments,
      discontinuity: position.discontinuity + blockDiscontinuities)
  }
}
