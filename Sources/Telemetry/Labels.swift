/// The label names and values of one series: `["scope": "publish", "reason": "expired"]`.
///
/// The order is the order of the literal, and part of what is printed; keep it the same for all
/// series of a family.
package struct Labels: Sendable, Hashable, ExpressibleByDictionaryLiteral {
  /// `scope="publish",reason="expired"`, escaped; empty when there is no label.
  package let rendered: String

  /// No label.
  package static let none: Labels = [:]

  package init(dictionaryLiteral elements: (String, String)...) { self.init(elements) }

  /// Makes labels from pairs.
  ///
  /// - Parameter pairs: names of letters, digits and `_`, not starting with a digit; any values.
  package init(_ pairs: [(String, String)]) {
    for (name, _) in pairs {
      precondition(Labels.isName(name) && name != "le", "metric label name: \(name)")
    }
    rendered = pairs.map { "\($0)=\"\(Labels.escape($1))\"" }.joined(separator: ",")
  }

  /// Whether `name` may name a label (and, with no colon used here, a metric).
  static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(48...57).contains(first) else { return false }
    return name.utf8.allSatisfy { byte in
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "_"): true
      default: false
      }
    }
  }

  /// Escapes a label's value: backslash, quote and line feed.
  static func escape(_ value: String) -> String {
    var escaped = ""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\\": escaped += "\\\\"
      case "\"": escaped += "\\\""
      case "\n": escaped += "\\n"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
