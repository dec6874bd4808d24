/// Finds elements in the small XML documents that S3 answers with.
///
/// No parser: elements are found by their names, wherever they stand; attributes, comments and
/// entities of a document's own have no place in these answers, and mean nothing here. Bytes are
/// compared, and not characters: a letter's accent may follow a tag.
package struct XMLText {
  private let bytes: ArraySlice<UInt8>

  /// - Parameter bytes: of a document; what isn't UTF-8 is replaced where it is read.
  package init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

  private init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  /// The text of the first element of a name, unescaped.
  package subscript(_ name: String) -> String? { first(name).map { Self.unescaped($0.bytes) } }

  /// All elements of a name, in order.
  package func all(_ name: String) -> [XMLText] {
    var elements: [XMLText] = []
    var rest = self
    while let element = rest.first(name) {
      elements.append(element)
      rest = XMLText(bytes[(element.bytes.endIndex + name.utf8.count + 3)...])
    }
    return elements
  }

  private func first(_ name: String) -> XMLText? {
    guard let start = Self.place(of: "<\(name)>", in: bytes)?.upperBound,
      let end = Self.place(of: "</\(name)>", in: bytes[start...])?.lowerBound
    else { return nil }
    return XMLText(bytes[start..<end])
  }

  private static func place(of word: String, in bytes: ArraySlice<UInt8>) -> Range<Int>? {
    let word = Array(word.utf8)
    guard let first = word.first, bytes.count >= word.count else { return nil }
    for start in bytes.startIndex...bytes.endIndex - word.count where bytes[start] == first {
      let end = start + word.count
      if bytes[start..<end].elementsEqual(word) { return start..<end }
    }
    return nil
  }

  /// Those that are written come first.
  private static let entities: [(name: [UInt8], byte: UInt8)] = [
    (Array("amp".utf8), UInt8(ascii: "&")), (Array("lt".utf8), UInt8(ascii: "<")),
    (Array("gt".utf8), UInt8(ascii: ">")), (Array("quot".utf8), UInt8(ascii: "\"")),
    (Array("apos".utf8), UInt8(ascii: "'")),
  ]

  private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
    var result: [UInt8] = []
    var rest = bytes
    while let byte = rest.first {
      // No entity that is known here is longer.
      if byte == UInt8(ascii: "&"),
        let end = rest.prefix(12).firstIndex(of: UInt8(ascii: ";")),
        let meant = meaning(of: rest[(rest.startIndex + 1)..<end])
      {
        result += meant
        rest = rest[(end + 1)...]
      } else {
        result.append(byte)
        rest = rest.dropFirst()
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// What stands between `&` and `;` for; nil where nobody knows.
  private static func meaning(of name: ArraySlice<UInt8>) -> [UInt8]? {
    if let entity = entities.first(where: { $0.name.elementsEqual(name) }) { return [entity.byte] }
    guard name.first == UInt8(ascii: "#") else { return nil }
    let digits = String(decoding: name.dropFirst(), as: UTF8.self)
    let number =
      digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits, radix: 10)
    return number.flatMap(Unicode.Scalar.init).map { Array(String(Character($0)).utf8) }
  }

  /// Text as it stands in a document.
  package static func escaped(_ text: String) -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      if let entity = entities.prefix(3).first(where: { $0.byte == byte }) {
        bytes += [UInt8(ascii: "&")] + entity.name + [UInt8(ascii: ";")]
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
