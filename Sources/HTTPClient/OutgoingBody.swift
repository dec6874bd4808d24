#if canImport(Glibc)
  import Glibc
#endif

/// What is sent with a request: bytes, parts of files, or some of both, one after the other.
///
/// Files are read as they are sent, on the client's thread, which waits for the disk meanwhile: who
/// sends files has a client of its own for them.
package struct OutgoingBody: Sendable {
  /// One piece of it.
  package enum Piece: Sendable {
    case bytes([UInt8])
    /// A part of a file; the owner keeps the descriptor open.
    case file(descriptor: CInt, range: Range<Int>, owner: any Sendable)

    var count: Int {
      switch self {
      case .bytes(let bytes): bytes.count
      case .file(_, let range, _): range.count
      }
    }
  }

  let pieces: [Piece]
  /// All of its bytes.
  package let count: Int

  package init(_ pieces: [Piece]) {
    self.pieces = pieces
    count = pieces.reduce(0) { $0 + $1.count }
  }

  package init(_ bytes: [UInt8]) { self.init([.bytes(bytes)]) }

  /// No body.
  package static let none = OutgoingBody([UInt8]())

  /// The bytes, where no file is to be read.
  var inMemory: [UInt8]? {
    var all: [UInt8] = []
    for piece in pieces {
      guard case .bytes(let bytes) = piece else { return nil }
      if pieces.count == 1 { return bytes }
      all += bytes
    }
    return all
  }

  /// Copies bytes out.
  ///
  /// - Parameters:
  ///   - offset: of the first one, 0...count.
  ///   - buffer: where they go; filled as far as one piece reaches.
  /// - Returns: how many; 0 at the end, nil where a file can't be read or has become shorter.
  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int? {
    var start = offset
    for piece in pieces {
      guard start >= piece.count else {
        let count = min(buffer.count, piece.count - start)
        switch piece {
        case .bytes(let bytes):
          unsafe bytes.withUnsafeBytes { source in
            unsafe buffer.copyMemory(
              from: UnsafeRawBufferPointer(rebasing: source[start..<start + count]))
          }
          return count
        case .file(let descriptor, let range, _):
          while true {
            let result = unsafe pread(
              descriptor, buffer.baseAddress, count, off_t(range.lowerBound + start))
            if result > 0 || count == 0 { return result }
            if result == 0 || errno != EINTR { return nil }
          }
        }
      }
      start -= piece.count
    }
    return 0
  }
}
