/// Finds elements in the small XML documents that S3 answers with.
///
/// No parser: elements are found by their names, wherever they stand; attributes, comments and
/// entities of a document's own have no place in these answers, and mean nothing here.
struct XMLText {
  private let text: Substring

  /// - Parameter bytes: of a document; what isn't UTF-8 is replaced.
  init(_ bytes: [UInt8]) { text = Substring(String(decoding: bytes, as: UTF8.self)) }

  private init(_ text: Substring) { self.text = text }

  /// The text of the first element of a name, unescaped.
  subscript(_ name: String) -> String? { first(name).map { Self.unescaped($0.text) } }

  /// All elements of a name, in order.
  func all(_ name: String) -> [XMLText] {
    var elements: [XMLText] = []
    var rest = self
    while let element = rest.first(name) {
      elements.append(element)
      let end = rest.text.range(of: "</\(name)>", after: element.text.endIndex)
      rest = XMLText(rest.text[(end ?? rest.text.endIndex)...])
    }
    return elements
  }

  private func first(_ name: String) -> XMLText? {
    guard let start = text.range(of: "<\(name)>", after: text.startIndex),
      let end = text.startOf("</\(name)>", after: start)
    else { return nil }
    return XMLText(text[start..<end])
  }

  private static func unescaped(_ text: Substring) -> String {
    var result = String(text)
    let entities = [
      ("&quot;", "\""), ("&#34;", "\""), ("&apos;", "'"), ("&lt;", "<"), ("&gt;", ">"),
      ("&amp;", "&"),
    ]
    for (entity, character) in entities { result = result.replacing(entity, with: character) }
    return result
  }

  /// Text as it stands in a document.
  static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}

extension Substring {
  /// Where a text ends that stands at or after a place.
  fileprivate func range(of word: String, after start: Index) -> Index? {
    self[start...].firstRange(of: word)?.upperBound
  }

  fileprivate func startOf(_ word: String, after start: Index) -> Index? {
    self[start...].firstRange(of: word)?.lowerBound
  }
}
