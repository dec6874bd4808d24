/// How a client wants its media playlist: at once, or when it holds a certain segment.
///
/// Source: draft-pantos-hls-rfc8216bis, 6.2.5.2, "Blocking Playlist Reload".
package enum ReloadRequest: Equatable, Sendable {
  /// As it is now.
  case now
  /// Once it has segment `sequence`, or its part `part`.
  case from(sequence: Int, part: Int?)
  /// A directive that makes no sense: 400.
  case invalid

  /// What to do with a request, given where the playlist is.
  package enum Answer: Equatable, Sendable {
    /// Answer with the current playlist.
    case respond
    /// Hold it until a segment with this number is in the playlist (or the stream ends).
    case hold(until: Int)
    /// 400: it asks for what lies too far ahead, or makes no sense.
    case badRequest
  }

  /// Reads the directives out of a request's query, without its `?`; other parameters don't matter.
  package static func parse(query: borrowing Span<UInt8>) -> ReloadRequest {
    var sequence: Int?
    var part: Int?
    var start = 0
    while start < query.count {
      var end = start
      while end < query.count, query[end] != UInt8(ascii: "&") { end += 1 }
      if let value = number(after: "_HLS_msn=", query, start..<end) {
        guard value >= 0, sequence == nil else { return .invalid }
        sequence = value
      } else if let value = number(after: "_HLS_part=", query, start..<end) {
        guard value >= 0, part == nil else { return .invalid }
        part = value
      }
      start = end + 1
    }
    guard let sequence else { return part == nil ? .now : .invalid }
    return .from(sequence: sequence, part: part)
  }

  /// The number after a parameter's name; nil if it is another parameter, −1 if it is no number.
  private static func number(
    after name: StaticString, _ query: borrowing Span<UInt8>, _ range: Range<Int>
  ) -> Int? {
    let length = name.utf8CodeUnitCount
    guard range.count >= length else { return nil }
    let matches = name.withUTF8Buffer { name in
      for index in 0..<length where unsafe query[range.lowerBound + index] != name[index] {
        return false
      }
      return true
    }
    guard matches else { return nil }
    // 15 digits: more segments than any stream has, and no overflow.
    guard range.count > length, range.count - length <= 15 else { return -1 }
    var value = 0
    for index in range.lowerBound + length..<range.upperBound {
      guard case 0x30...0x39 = query[index] else { return -1 }
      value = value * 10 + Int(query[index] - 0x30)
    }
    return value
  }

  /// Decides, for a playlist of whole segments.
  ///
  /// - Parameters:
  ///   - nextSequence: the number after the playlist's last segment.
  ///   - isEnded: whether it has an `EXT-X-ENDLIST`.
  /// - Returns: a number up to two above the last segment's is waited for; more is refused.
  package func answer(nextSequence: Int, isEnded: Bool) -> Answer {
    switch self {
    case .now: .respond
    case .invalid: .badRequest
    case .from(let sequence, _):
      // A stream that ended, or has numbers that the client can't know yet, answers at once.
      if isEnded || sequence < nextSequence {
        .respond
      } else if sequence > nextSequence + 1 {
        .badRequest
      } else {
        .hold(until: sequence)
      }
    }
  }
}
