import HTTPServer
import Storage
import Synchronization

/// A part of a file on its way to one viewer: a piece is read while the last one is sent.
final class KeptFileBody: BodySource {
  /// What the readers, which are on any thread, leave for the loop.
  private struct Shared {
    var piece: [UInt8]?
    var hasFailed = false
    var isReading = false
    var isOver = false
  }

  private let reader: KeptFileReader
  private let file: KeptFile
  private var left: Range<Int>
  private let shared = Holder()

  private final class Holder: Sendable {
    let state = Mutex(Shared())
  }

  /// Makes the source of a part.
  ///
  /// - Parameters:
  ///   - file: whose.
  ///   - range: of its bytes.
  ///   - reader: has them.
  init(_ file: KeptFile, _ range: Range<Int>, reader: KeptFileReader) {
    self.file = file
    self.reader = reader
    left = range
  }

  override func next() -> BodyPiece {
    let (piece, hasFailed, isReading) = shared.state.withLock { state in
      defer { state.piece = nil }
      return (state.piece, state.hasFailed, state.isReading)
    }
    if hasFailed { return .failed }
    if let piece {
      left = (left.lowerBound + piece.count)..<left.upperBound
      return .bytes(piece, 0..<piece.count)
    }
    guard !left.isEmpty else { return .end }
    if !isReading { read() }
    return .pending
  }

  private func read() {
    let end = min(left.upperBound, left.lowerBound + KeptFileReader.pieceBytes)
    let range = left.lowerBound..<end
    shared.state.withLock { $0.isReading = true }
    Task { [reader, file, shared, waker] in
      let piece: [UInt8]?
      do throws(StorageError) {
        piece = try await reader.read(file, range)
      } catch {
        piece = nil
      }
      let isOver = shared.state.withLock { state in
        state.piece = piece
        state.hasFailed = piece == nil
        state.isReading = false
        return state.isOver
      }
      if !isOver { waker?.wake() }
    }
  }

  override func finished() { shared.state.withLock { $0.isOver = true } }
}
