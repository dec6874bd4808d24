import Cache
import HTTPServer
import Synchronization

/// Sends parts of an object that is kept in slices, slice after slice, with the next one on its
/// way.
///
/// Confined to the connection's loop. Where a slice can't be had, or is another version's, the body
/// fails: the client sees a reset stream or a closed connection, never an end and never other
/// bytes.
final class SliceSource: BodySource {
  /// What is sent, one after the other.
  enum Part {
    /// What stands between ranges.
    case text([UInt8])
    case range(Range<Int>)
  }

  /// The slice that is being sent.
  private enum Slice {
    case bytes([UInt8])
    /// The reader, and how many of the slice's bytes it has given.
    case filling(FillReader, Int, from: Upstream)
  }

  /// What is found from other threads.
  private final class Inbox: Sendable {
    let found = Mutex<EdgeSlices.Found?>(nil)
  }

  /// How often a slice that broke off is asked for again: another upstream may have it.
  private static let mostTries = 3

  private let object: SlicedObject
  private let slices: EdgeSlices
  private var order: EdgeFetch.Order
  private var parts: ArraySlice<Part>
  private var number = -1
  private var slice: Slice?
  private var tries = 0
  private var isAsking = false
  private let inbox = Inbox()

  init(
    _ object: SlicedObject, _ parts: [Part], _ slices: EdgeSlices, for order: EdgeFetch.Order
  ) {
    self.object = object
    self.parts = parts[...]
    self.slices = slices
    self.order = order
  }

  override func next() -> BodyPiece {
    while let part = parts.first {
      switch part {
      case .text(let bytes):
        parts.removeFirst()
        return .bytes(bytes, 0..<bytes.count)
      case .range(let range) where range.isEmpty: parts.removeFirst()
      case .range(let range):
        guard let piece = piece(of: range) else { continue }
        return piece
      }
    }
    return .end
  }

  /// What there is at the beginning of a range; nil where it has to be looked for once more.
  private func piece(of range: Range<Int>) -> BodyPiece? {
    let wanted = object.slices.number(of: range.lowerBound)
    if wanted != number {
      number = wanted
      slice = nil
      tries = 0
    }
    guard let slice else { return find(range) }
    let start = range.lowerBound - wanted * object.slices.size
    switch slice {
    case .bytes(let bytes):
      let part = object.slices.part(of: wanted, in: range)
      guard part.upperBound <= bytes.count else { return .failed }
      advance(range, by: part.count)
      return .bytes(bytes, part)
    case .filling(_, let given, _) where given > start:
      // Another part of the same slice, which stands before what has been read.
      self.slice = nil
      return nil
    case .filling(let reader, let given, let upstream):
      guard let waker else { return .failed }
      switch reader.read(wake: { waker.wake() }) {
      case .bytes(let bytes, let piece):
        self.slice = .filling(reader, given + piece.count, from: upstream)
        let skipped = max(0, start - given)
        guard skipped < piece.count else { return nil }
        let first = piece.lowerBound + skipped
        let part = first..<min(piece.upperBound, first + range.count)
        advance(range, by: part.count)
        // What the range doesn't want of the piece may be another part's.
        if part.upperBound < piece.upperBound { self.slice = nil }
        return .bytes(bytes, part)
      case .pending: return .pending
      case .end: return .failed
      case .failed: return again(besides: upstream)
      }
    }
  }

  /// Has a slice asked for once more that broke off; nil, or the end of it all.
  private func again(besides upstream: Upstream) -> BodyPiece? {
    tries += 1
    order.brokeOff.insert(upstream)
    slice = nil
    return tries < Self.mostTries ? nil : .failed
  }

  private func advance(_ range: Range<Int>, by count: Int) {
    parts[parts.startIndex] = .range(range.lowerBound + count..<range.upperBound)
  }

  // MARK: Finding

  private func find(_ range: Range<Int>) -> BodyPiece? {
    if isAsking {
      guard let found = inbox.found.withLock({ $0.take() }) else { return .pending }
      isAsking = false
      return take(found, range)
    }
    if let found = slices.here(number, of: object) { return take(found, range) }
    isAsking = true
    guard let waker else { return .failed }
    slices.find(number, of: object, for: order) { [inbox] found in
      inbox.found.withLock { $0 = found }
      waker.wake()
    }
    return nil
  }

  private func take(_ found: EdgeSlices.Found, _ range: Range<Int>) -> BodyPiece? {
    switch found {
    case .bytes(let bytes): slice = .bytes(bytes)
    case .filling(let fill):
      guard let reader = fill.body.join() else { return again(besides: fill.upstream) }
      slice = .filling(reader, 0, from: fill.upstream)
    case .changed, .failed: return .failed
    }
    // One slice ahead and no more: a slow client piles nothing up.
    if object.slices.range(of: number).upperBound < range.upperBound {
      slices.prefetch(number + 1, of: object, for: order)
    }
    return nil
  }

  override func finished() {
    slice = nil
    parts = []
  }
}
