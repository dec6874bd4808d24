/// Which certificate answers which server name.
///
/// A lookup is one or two dictionary reads however many certificates there are.
struct ServerNames: Equatable, Sendable {
  private var exact: [String: Int] = [:]
  /// `example.org` stands for `*.example.org`.
  private var wildcard: [String: Int] = [:]

  /// Adds the names of one certificate; where two have the same name, the first added answers.
  mutating func add(_ names: [String], certificate: Int) {
    for name in names.map(ServerNames.canonical) {
      if name.hasPrefix("*.") {
        let parent = String(name.dropFirst(2))
        if wildcard[parent] == nil { wildcard[parent] = certificate }
      } else if exact[name] == nil {
        exact[name] = certificate
      }
    }
  }

  /// The certificate for a name: an exact one before a wildcard, which stands for one label.
  func certificate(for name: String) -> Int? {
    let name = ServerNames.canonical(name)
    if let found = exact[name] { return found }
    guard let dot = name.firstIndex(of: "."), dot != name.startIndex else { return nil }
    return wildcard[String(name[name.index(after: dot)...])]
  }

  /// Lower case, without the root's dot.
  private static func canonical(_ name: String) -> String {
    let lower = name.lowercased()
    return lower.hasSuffix(".") ? String(lower.dropLast()) : lower
  }
}
