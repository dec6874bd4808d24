package import HTTPSemantics

/// Takes a request body out of its framing, however the bytes are cut.
package struct BodyDecoder: Equatable, Sendable {
  /// What the bytes from a given offset hold.
  package enum Piece: Equatable, Sendable {
    /// A part of the body: a range of the bytes given.
    case data(Range<Int>)
    /// The bytes are used up, and the body goes on.
    case needsMore
    /// The body is complete.
    case end
  }

  private enum State: Equatable, Sendable {
    case length(Int)
    case sizeStart
    case size(Int)
    case extensions(Int)
    case sizeLineFeed(Int)
    case data(Int)
    case dataCarriageReturn
    case dataLineFeed
    case trailerStart
    case trailer
    case trailerLineFeed
    case lastLineFeed
    case done
  }

  private var state: State
  /// Bytes of framing since the last byte of body: extensions and trailers are bounded by it.
  private var overhead = 0
  private static let mostOverhead = 8 * 1024

  package init(_ framing: BodyFraming) {
    state =
      switch framing {
      case .none: .done
      case .length(let count): count > 0 ? .length(count) : .done
      case .chunked: .sizeStart
      }
  }

  package var isDone: Bool { state == .done }

  /// Reads on from `offset`, which moves past what was used.
  ///
  /// - Throws: `.malformed(.chunkSize)` or `.malformed(.chunkEnd)`, `.fieldsTooLarge` for endless
  ///   extensions or trailers; the connection can't be read on after it.
  /// - Note: Source: RFC 9112, 7.1. Extensions and trailers are read and dropped.
  package mutating func next(
    _ bytes: borrowing Span<UInt8>, at offset: inout Int
  ) throws(RequestError) -> Piece {
    while true {
      switch state {
      case .done: return .end
      case .length(let left):
        guard offset < bytes.count else { return .needsMore }
        let range = offset..<min(bytes.count, offset + left)
        offset = range.upperBound
        state = range.count == left ? .done : .length(left - range.count)
        return .data(range)
      case .data(let left):
        guard offset < bytes.count else { return .needsMore }
        let range = offset..<min(bytes.count, offset + left)
        offset = range.upperBound
        state = range.count == left ? .dataCarriageReturn : .data(left - range.count)
        overhead = 0
        return .data(range)
      default:
        guard offset < bytes.count else { return .needsMore }
        overhead += 1
        guard overhead <= BodyDecoder.mostOverhead else { throw .fieldsTooLarge }
        try step(bytes[offset])
        offset += 1
      }
    }
  }

  private mutating func step(_ byte: UInt8) throws(RequestError) {
    switch state {
    case .sizeStart:
      guard let digit = hexadecimalValue(byte) else { throw .malformed(.chunkSize) }
      state = .size(Int(digit))
    case .size(let size):
      if let digit = hexadecimalValue(byte) {
        guard size < 1 << 48 else { throw .malformed(.chunkSize) }
        state = .size(size << 4 | Int(digit))
      } else if byte == 0x0d {
        state = .sizeLineFeed(size)
      } else if byte == 0x3b {
        state = .extensions(size)
      } else {
        throw .malformed(.chunkSize)
      }
    case .extensions(let size):
      if byte == 0x0d {
        state = .sizeLineFeed(size)
      } else if !isFieldByte(byte) {
        throw .malformed(.chunkSize)
      }
    case .sizeLineFeed(let size):
      guard byte == 0x0a else { throw .malformed(.bareCarriageReturn) }
      state = size == 0 ? .trailerStart : .data(size)
    case .dataCarriageReturn:
      guard byte == 0x0d else { throw .malformed(.chunkEnd) }
      state = .dataLineFeed
    case .dataLineFeed:
      guard byte == 0x0a else { throw .malformed(.chunkEnd) }
      state = .sizeStart
    case .trailerStart:
      if byte == 0x0d {
        state = .lastLineFeed
      } else if isTokenByte(byte) {
        state = .trailer
      } else {
        throw .malformed(.fieldName)
      }
    case .trailer:
      if byte == 0x0d {
        state = .trailerLineFeed
      } else if !isFieldByte(byte) {
        throw .malformed(.fieldValue)
      }
    case .trailerLineFeed:
      guard byte == 0x0a else { throw .malformed(.bareCarriageReturn) }
      state = .trailerStart
    case .lastLineFeed:
      guard byte == 0x0a else { throw .malformed(.bareCarriageReturn) }
      state = .done
    case .length, .data, .done: break
    }
  }
}
