/// XML that is being written: elements and escaped text, nothing else.
struct XMLText {
  private(set) var text = "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n"

  /// Appends an instruction, such as the one that names a stylesheet.
  mutating func instruction(_ name: String, _ value: String) { text += "<?\(name) \(value)?>\n" }

  /// Appends an element with what `body` puts into it.
  mutating func element(_ name: String, _ body: (inout XMLText) -> Void) {
    text += "<\(name)>\n"
    body(&self)
    text += "</\(name)>\n"
  }

  /// Appends an element with text.
  mutating func element(_ name: String, _ value: some CustomStringConvertible) {
    text += "<\(name)>\(Self.escaped(value.description))</\(name)>\n"
  }

  /// Appends an element with nothing in it: a flag.
  mutating func flag(_ name: String) { text += "<\(name)/>\n" }

  /// Makes any text fit for an element: what XML can't carry at all is left out.
  static func escaped(_ value: String) -> String {
    var text = ""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      case "\"": text += "&quot;"
      case "\t", "\n", "\r": text += " "
      case "\u{0}"..<"\u{20}", "\u{FFFE}", "\u{FFFF}": continue
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
