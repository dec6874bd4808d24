import Cluster

/// Invalidations, any number, as one pass over what an edge keeps.
///
/// Keys and prefixes are meant of all hosts where they begin with a slash; else they begin with a
/// host, after a scheme or without one.
struct EdgePurge: Sendable {
  /// Keys and tags: what objects are tagged with.
  private(set) var exact: Set<String> = []
  /// Of names, and of their paths.
  private(set) var names = PrefixSet([])
  private(set) var paths = PrefixSet([])

  init(_ targets: some Sequence<Invalidation.Target>) {
    var names: [String] = []
    var paths: [String] = []
    for target in targets {
      switch target {
      case .key(let key):
        let place = Self.place(key)
        exact.insert(place)
        // Live segments of a program are called as the main camera's are.
        if place.hasPrefix("/") { exact.insert(LiveName.path(place)) }
      case .tag(let tag): exact.insert(tag)
      case .prefix(let prefix):
        let place = Self.place(prefix)
        if place.hasPrefix("/") {
          paths += [place, LiveName.path(place)]
        } else {
          names.append(place)
        }
      }
    }
    self.names = PrefixSet(names)
    self.paths = PrefixSet(paths)
  }

  var hasPrefixes: Bool { !names.isEmpty || !paths.isEmpty }

  /// Whether an object is meant by a prefix.
  ///
  /// - Parameter name: `host/path?query`.
  /// - Returns: whether it begins with one of them, or its path does.
  func hasPrefix(of name: String) -> Bool {
    if !names.isEmpty, names.contains(startOf: name.utf8) { return true }
    return !paths.isEmpty && paths.contains(startOf: EdgeAddress.path(of: name).utf8)
  }

  /// Whether an object is meant.
  func isOf(_ name: String, tags: [String]) -> Bool {
    tags.contains { exact.contains($0) } || hasPrefix(of: name)
  }

  /// A key as names are written: without a scheme, the host in lowercase.
  private static func place(_ text: String) -> String {
    var rest = text[...]
    for scheme in ["https://", "http://"] where rest.lowercased().hasPrefix(scheme) {
      rest = rest.dropFirst(scheme.count)
      break
    }
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    return rest[..<slash].lowercased() + rest[slash...]
  }
}
