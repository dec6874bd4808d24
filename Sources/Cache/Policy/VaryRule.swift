package import HTTPTypes

/// Which request fields a response was chosen by (RFC 9110, 12.5.5; RFC 9111, 4.1).
package struct VaryRule: Hashable, Sendable {
  /// In the order in which they were first named.
  package let names: [HTTPField.Name]

  /// Reads all `Vary` fields as one list; nil where a response was chosen by more than fields
  /// (`*`).
  ///
  /// - Parameter fields: of a response.
  package init?(_ fields: HTTPFields) {
    var names: [HTTPField.Name] = []
    for value in fields[values: .vary] {
      for element in value.split(separator: ",") {
        let text = element.trimmingBlanks()
        if text == "*" { return nil }
        guard let name = HTTPField.Name(text), !names.contains(name) else { continue }
        names.append(name)
      }
    }
    self.names = names
  }

  package var isEmpty: Bool { names.isEmpty }

  /// What tells a request from others that get another response.
  ///
  /// Lists are compared without the blanks around their elements; a field that was not sent differs
  /// from one that was sent empty.
  ///
  /// - Parameter fields: of a request.
  /// - Returns: the same text for requests that get the same response.
  package func key(of fields: HTTPFields) -> String {
    var key = ""
    for name in names {
      key += "\(name.canonicalName)"
      let values = fields[values: name]
      if !values.isEmpty {
        let elements = values.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
        key += ":" + elements.map { $0.trimmingBlanks() }.joined(separator: ",")
      }
      key += "\n"
    }
    return key
  }
}
