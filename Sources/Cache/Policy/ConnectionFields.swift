package import HTTPTypes

extension HTTPFields {
  /// The fields without those that are about one connection (RFC 9110, 7.6.1; RFC 9111, 3.1).
  ///
  /// That is what `Connection` names, and what proxies and connections say to one another.
  package var withoutConnectionFields: HTTPFields {
    var named = HTTPFields.ofConnections
    for value in self[values: .connection] {
      for element in value.split(separator: ",") {
        if let name = HTTPField.Name(element.trimmingBlanks()) { named.insert(name) }
      }
    }
    var rest = HTTPFields()
    for field in self where !named.contains(field.name) { rest.append(field) }
    return rest
  }

  private static let ofConnections: Set<HTTPField.Name> = [
    .connection, .keepAlive, .proxyConnection, .proxyAuthenticate, .proxyAuthorization,
    .proxyAuthenticationInfo, .te, .trailer, .transferEncoding, .upgrade,
  ]
}

extension Substring {
  /// Without spaces and tabs at either end.
  func trimmingBlanks() -> String {
    var text = self
    while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return String(text)
  }
}
