import Redis

/// Something that caches must not serve any more, or not without asking.
package struct Invalidation: Hashable, Sendable {
  /// Which objects.
  package enum Target: Hashable, Sendable {
    /// The one of this key.
    case key(String)
    /// All whose key begins so.
    case prefix(String)
    /// All that carry this tag.
    case tag(String)
  }

  package var target: Target
  /// Whether it may still be served while it is asked for anew, and where that fails.
  package var isSoft: Bool

  package init(_ target: Target, isSoft: Bool = false) {
    self.target = target
    self.isSoft = isSoft
  }

  /// How long a key, prefix or tag may be, in bytes.
  static let longest = 2_048

  /// Whether it may be told: not empty, not too long, without control characters.
  package var isValid: Bool {
    let text = words.1
    return !text.isEmpty && text.utf8.count <= Self.longest
      && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
  }

  private var words: (String, String) {
    switch target {
    case .key(let text): ("key", text)
    case .prefix(let text): ("prefix", text)
    case .tag(let text): ("tag", text)
    }
  }

  /// Its names and values as an entry of `wl:invalidations`.
  var fields: [String] { ["kind", words.0, "what", words.1, "mode", isSoft ? "soft" : "hard"] }

  /// Reads an entry; nil where it isn't one of ours.
  init?(_ entry: RedisStreamEntry) {
    guard let bytes = entry.fields["what"], bytes.count <= Self.longest,
      let what = String(validating: bytes, as: UTF8.self)
    else { return nil }
    switch entry["kind"] {
    case "key": target = .key(what)
    case "prefix": target = .prefix(what)
    case "tag": target = .tag(what)
    default: return nil
    }
    switch entry["mode"] {
    case "soft": isSoft = true
    case "hard": isSoft = false
    default: return nil
    }
    if !isValid { return nil }
  }
}
