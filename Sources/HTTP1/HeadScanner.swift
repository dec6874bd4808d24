package import HTTPSemantics

/// Finds the end of a message head, however the bytes are cut.
///
/// Looks at each byte once, also when the head comes one byte at a time, and refuses line ends
/// that two parsers could read differently as soon as they come.
package struct HeadScanner: Equatable, Sendable {
  private enum State: UInt8 { case lineStart, line, carriageReturn, lastCarriageReturn }

  private var state = State.lineStart
  private var lineBytes = 0
  private var lines = 0

  package init() {}

  /// Reads on from `offset`.
  ///
  /// - Parameters:
  ///   - bytes: the head so far, from its start.
  ///   - offset: where to go on: how many bytes were scanned before.
  ///   - limits: of the request line and of the fields.
  /// - Returns: the offset after the empty line, or `nil` where it has not come yet.
  /// - Throws: `.malformed` with `bareLineFeed` or `bareCarriageReturn`; `.targetTooLong`,
  ///   `.fieldsTooLarge`.
  package mutating func scan(
    _ bytes: borrowing Span<UInt8>, from offset: Int, limits: RequestLimits
  ) throws(RequestError) -> Int? {
    let count = bytes.count
    // A head may hold its line ends and `: ` besides what the limits count.
    let most = limits.targetBytes + 64 + limits.fieldBytes
    var index = offset
    while index < count {
      let byte = bytes[index]
      index += 1
      switch state {
      case .line where byte > 0x0d: lineBytes += 1
      case .lineStart, .line:
        switch byte {
        case 0x0d: state = state == .lineStart && lines > 0 ? .lastCarriageReturn : .carriageReturn
        case 0x0a: throw .malformed(.bareLineFeed)
        default:
          state = .line
          lineBytes += 1
        }
        continue
      case .carriageReturn:
        guard byte == 0x0a else { throw .malformed(.bareCarriageReturn) }
        // An empty line or two before the request line are let pass (RFC 9112, 2.2) by the caller.
        lines += 1
        state = .lineStart
        lineBytes = 0
      case .lastCarriageReturn:
        guard byte == 0x0a else { throw .malformed(.bareCarriageReturn) }
        self = HeadScanner()
        guard index <= most else { throw .fieldsTooLarge }
        return index
      }
      if lines == 0, lineBytes > limits.targetBytes + 40 { throw .targetTooLong }
    }
    if count > most { throw .fieldsTooLarge }
    return nil
  }
}
