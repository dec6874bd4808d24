/// A text with addresses in it, made once, that carries a query of each reader's own.
///
/// What a reader gets is made piece by piece as it is sent: a playlist of hours with a token on
/// each address is megabytes, and nobody is to hold that for each viewer.
package struct AddressedText: Sendable, Equatable {
  /// UTF-8, without any query.
  package let bytes: [UInt8]
  /// Where each address ends, in order: a query goes there.
  private let ends: [Int]

  /// Makes a text.
  ///
  /// - Parameters:
  ///   - bytes: of the text.
  ///   - ends: where its addresses end, in order, none beyond its end.
  package init(_ bytes: [UInt8], addressEnds ends: [Int]) {
    self.bytes = bytes
    self.ends = ends
  }

  /// How long it is with a query of so many bytes on each address; complexity O(1).
  package func byteCount(withQuery length: Int) -> Int {
    bytes.count + (length > 0 ? ends.count * (length + 1) : 0)
  }

  /// The whole text with a query on each address, such as `token=…`; one allocation.
  ///
  /// - Parameter query: without the `?`; must be escaped already. Bytes that could end a line or an
  ///   address are refused.
  /// - Returns: nil if the query may not stand in an address.
  package func text(withQuery query: borrowing Span<UInt8>) -> [UInt8]? {
    guard var pieces = pieces(withQuery: query) else { return nil }
    return pieces.next(byteCount(withQuery: query.count)) ?? []
  }

  /// The same, to be taken in pieces.
  package func pieces(withQuery query: borrowing Span<UInt8>) -> Pieces? {
    for index in 0..<query.count where !Self.mayStandInQuery(query[index]) { return nil }
    var suffix: [UInt8] = []
    if query.count > 0 {
      suffix.reserveCapacity(query.count + 1)
      suffix.append(UInt8(ascii: "?"))
      for index in 0..<query.count { suffix.append(query[index]) }
    }
    return Pieces(text: self, suffix: suffix)
  }

  /// RFC 3986's query characters without the quotes that a playlist's attributes end at.
  private static func mayStandInQuery(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true  // digits and letters
    case 0x21, 0x24...0x2F, 0x3A, 0x3B, 0x3D, 0x3F, 0x40, 0x5F, 0x7E: true
    default: false
    }
  }

  /// A text with a reader's query, as far as it has not been taken.
  package struct Pieces: Sendable {
    private let text: AddressedText
    /// What follows each address.
    private let suffix: [UInt8]
    /// How far the text has been taken, and how many addresses have got their query.
    private var position = 0
    private var address = 0
    /// How much of the suffix of the next address is taken already.
    private var suffixTaken = 0

    fileprivate init(text: AddressedText, suffix: [UInt8]) {
      self.text = text
      self.suffix = suffix
    }

    /// The next bytes; complexity O(their number).
    ///
    /// - Parameter limit: how many at most, above 0.
    /// - Returns: as many as that, or fewer at the end; nil where there are none left.
    package mutating func next(_ limit: Int) -> [UInt8]? {
      var piece: [UInt8] = []
      piece.reserveCapacity(min(limit, remaining))
      while piece.count < limit {
        let end = address < text.ends.count ? text.ends[address] : text.bytes.count
        let count = min(end - position, limit - piece.count)
        piece += text.bytes[position..<position + count]
        position += count
        guard position == end, piece.count < limit, address < text.ends.count else {
          if position == text.bytes.count, address == text.ends.count { break }
          continue
        }
        let more = min(suffix.count - suffixTaken, limit - piece.count)
        piece += suffix[suffixTaken..<suffixTaken + more]
        suffixTaken += more
        guard suffixTaken == suffix.count else { continue }
        suffixTaken = 0
        address += 1
      }
      return piece.isEmpty ? nil : piece
    }

    /// How many bytes are left.
    package var remaining: Int {
      text.bytes.count - position + (text.ends.count - address) * suffix.count - suffixTaken
    }
  }
}
