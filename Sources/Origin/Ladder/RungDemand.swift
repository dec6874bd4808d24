import Viewers
import EventLoop
import Transcode

/// Which rungs are to be encoded: all of them, or those that somebody watches or records.
struct RungDemand {
  /// A rung that nobody has asked for within so many seconds is not watched; nil encodes all.
  private let idleSeconds: UInt64?
  /// Who watches each rung; none where all are encoded.
  private let interests: [RenditionInterest]
  /// Whether a rung is recorded, which takes all of it.
  var isRecorded: (_ rung: Int) -> Bool = { _ in false }

  init(_ configuration: LadderConfiguration) {
    idleSeconds = configuration.idleSeconds
    interests =
      configuration.idleSeconds == nil
      ? [] : configuration.job.rungs.map { _ in RenditionInterest() }
  }

  /// Who watches a rung; nil where all are encoded all the time.
  func interest(_ rung: Int) -> RenditionInterest? {
    interests.indices.contains(rung) ? interests[rung] : nil
  }

  /// The rungs that are to be encoded from the next cut on: bit n is rung n.
  ///
  /// - Parameters:
  ///   - rungs: those that the source is large enough for.
  ///   - smallestStaysOn: the last of them is encoded whoever watches: the source must not stand in
  ///     for the others.
  ///   - isKnown: whether the master playlist can say what a rung is. One that nobody watches is
  ///     encoded until then.
  /// - Returns: the mask.
  func mask(
    of rungs: [Int], smallestStaysOn: Bool, isKnown: (_ rung: Int) -> Bool
  ) -> UInt32 {
    let now = MonotonicTime.now.nanoseconds / 1_000_000_000
    return rungs.reduce(0) { mask, rung in
      let isWanted =
        idleSeconds.map { interests[rung].isFresh(within: $0, now: now) } ?? true
        || isRecorded(rung) || !isKnown(rung) || smallestStaysOn && rung == rungs.last
      return isWanted ? mask | 1 << UInt32(rung) : mask
    }
  }
}
