import Cache
import HTTPServer

/// Sends a body that is on its way, or a part of it.
///
/// Confined to the connection's loop. A body that breaks off fails: the client sees a reset stream
/// or a closed connection, never an end.
final class FillSource: BodySource {
  private var reader: FillReader?
  private var skip: Int
  private var left: Int

  /// - Parameters:
  ///   - reader: at the body's first byte.
  ///   - range: of the body; to its end by default.
  init(_ reader: FillReader, range: Range<Int> = 0..<Int.max) {
    self.reader = reader
    skip = range.lowerBound
    left = range.count
  }

  override func next() -> BodyPiece {
    while left > 0, let reader {
      guard let waker else { return .failed }
      switch reader.read(wake: { waker.wake() }) {
      case .bytes(let bytes, let range):
        if skip >= range.count {
          skip -= range.count
          continue
        }
        let start = range.lowerBound + skip
        let part = start..<start + min(range.count - skip, left)
        skip = 0
        left -= part.count
        return .bytes(bytes, part)
      case .pending: return .pending
      case .end: return .end
      case .failed: return .failed
      }
    }
    return .end
  }

  override func finished() { reader = nil }
}
