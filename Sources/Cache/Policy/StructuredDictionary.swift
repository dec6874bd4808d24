/// A dictionary of structured fields, as far as targeted cache control needs it (RFC 8941, 3.2).
///
/// The grammar is kept whole: one byte that has no place makes the field as good as not sent. Of
/// the values only integers and what is true are kept.
struct StructuredDictionary {
  /// A member's value.
  enum Value: Equatable {
    case integer(Int64)
    case isTrue
    /// A string, a token, a decimal, a list: nothing that a directive could mean.
    case other
  }

  /// In the order in which they were sent; of two with one name the last counts, in the first's
  /// place.
  private(set) var members: [(key: String, value: Value)] = []

  /// Reads a field's values, joined with commas; nil where they are no dictionary.
  ///
  /// - Parameter text: at most some KiB.
  init?(_ text: [UInt8]) {
    var reader = StructuredReader(text)
    reader.skipSpaces()
    guard !reader.isAtEnd else { return }
    while true {
      guard let key = reader.key() else { return nil }
      var value = Value.isTrue
      if reader.take(0x3d) {
        guard let read = reader.memberValue() else { return nil }
        value = read
      }
      guard reader.skipParameters() else { return nil }
      if let known = members.firstIndex(where: { $0.key == key }) {
        members[known].value = value
      } else {
        members.append((key, value))
      }
      reader.skipBlanks()
      if reader.isAtEnd { return }
      guard reader.take(0x2c) else { return nil }
      reader.skipBlanks()
      if reader.isAtEnd { return nil }
    }
  }
}
