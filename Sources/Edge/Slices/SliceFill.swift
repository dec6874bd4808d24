import Cache
import Synchronization

/// A slice that is on its way: written by one response, read by all who want it.
///
/// It is whole only with exactly the bytes that it must have; with fewer or more it has failed, and
/// is not kept.
final class SliceFill: Sendable {
  let object: SlicedObject
  let number: Int
  /// Who sends it.
  let upstream: Upstream
  let body: FillBody
  /// When it was asked for.
  let since: PurgeLog.Moment
  private let length: Int
  private let taken = Mutex(0)

  init(
    _ object: SlicedObject, _ number: Int, from upstream: Upstream, since: PurgeLog.Moment,
    in memory: FillMemory, pace: UnreadPace.Rule
  ) {
    self.object = object
    self.upstream = upstream
    self.number = number
    self.since = since
    length = object.length(of: number)
    body = FillBody(length: length, share: memory.share(length, isForced: true), pace: pace)
  }

  /// What becomes of the response after a piece.
  enum Pace { case goOn, full, tooMuch }

  /// Takes a piece.
  ///
  /// - Parameters:
  ///   - piece: of the response, in order.
  ///   - isOfWhole: whether more follows that is no part of the slice.
  /// - Returns: whether it has all its bytes; more than those only where they must not be.
  func append(_ piece: borrowing Span<UInt8>, isOfWhole: Bool) -> Pace {
    let count = piece.count
    let left = taken.withLock { taken in
      defer { taken += count }
      return length - taken
    }
    if count > left, !isOfWhole { return .tooMuch }
    if left > 0 { _ = body.append(piece.extracting(first: left)) }
    return count >= left ? .full : .goOn
  }

  /// Whether its object was purged since it was asked for.
  func isPurged(in log: PurgeLog) -> Bool {
    log.isPurged(object.name, tags: { object.tags }, since: since)
  }

  /// Whether all has come.
  var isFull: Bool { taken.withLock { $0 >= length } }
}
