import Redis

/// Something of a wedding's that a CDN must not serve any more.
package struct CDNPurge: Hashable, Sendable {
  /// Which objects.
  package enum Target: Hashable, Sendable {
    /// All that carry this tag (`Surrogate-Key`, `Cache-Tag`).
    case tag(String)
    /// The one at this path, which begins with a slash.
    case path(String)
    /// All whose path begins so; it begins with a slash.
    case prefix(String)

    init?(kind: String?, what: String) {
      switch kind {
      case "tag": self = .tag(what)
      case "path": self = .path(what)
      case "prefix": self = .prefix(what)
      default: return nil
      }
    }
  }

  /// Whose; its purges are done in their order.
  package var wedding: String
  package var target: Target
  /// Whether it may still be served while it is asked for anew; where a CDN knows no such thing it
  /// is purged for good.
  package var isSoft: Bool
  /// Why, for people: `stream_ended`, `key_rotated`.
  package var reason: String

  package init(wedding: String, _ target: Target, isSoft: Bool = false, reason: String) {
    self.wedding = wedding
    self.target = target
    self.isSoft = isSoft
    self.reason = reason
  }

  /// How long a path or prefix may be, in bytes; CloudFront takes no more than 4,000.
  static let longestPath = 2_048
  /// How long a tag may be: Fastly's and Cloudflare's bound.
  static let longestTag = 1_024
  /// How long a wedding's name and a reason may be.
  static let longestWord = 256

  /// Whether it may be queued: visible ASCII alone, and within the bounds.
  ///
  /// A comma or a space would end a tag in a header, and `*` and `?` mean more than themselves to
  /// one CDN or another; braces are what addresses have places by.
  package var isValid: Bool {
    guard Self.isText(wedding, Self.longestWord), !wedding.utf8.contains(UInt8(ascii: "/")),
      Self.isText(reason, Self.longestWord)
    else { return false }
    switch target {
    case .tag(let tag):
      return Self.isText(tag, Self.longestTag) && !tag.utf8.contains(UInt8(ascii: ","))
    case .path(let path):
      return Self.isPath(path)
    case .prefix(let prefix):
      return Self.isPath(prefix) && !prefix.utf8.contains(UInt8(ascii: "?"))
    }
  }

  private static func isText(_ text: String, _ longest: Int) -> Bool {
    (1...longest).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "*"), UInt8(ascii: "{"), UInt8(ascii: "}"): false
        default: (0x21...0x7E).contains(byte)
        }
      }
  }

  private static func isPath(_ path: String) -> Bool {
    isText(path, longestPath) && path.utf8.first == UInt8(ascii: "/")
      && !path.utf8.contains(UInt8(ascii: "#"))
  }

  /// Its target's kind and name: `tag`, `path` or `prefix`.
  package var words: (kind: String, what: String) {
    switch target {
    case .tag(let tag): ("tag", tag)
    case .path(let path): ("path", path)
    case .prefix(let prefix): ("prefix", prefix)
    }
  }

  /// Its names and values as an entry of a Redis stream.
  var fields: [String] {
    [
      "wedding", wedding, "kind", words.kind, "what", words.what, "mode",
      isSoft ? "soft" : "hard", "reason", reason,
    ]
  }

  /// Reads an entry; nil where it isn't one of ours.
  init?(_ entry: RedisStreamEntry) {
    guard let wedding = entry["wedding"], let what = entry["what"], let reason = entry["reason"],
      let target = Target(kind: entry["kind"], what: what)
    else { return nil }
    guard entry["mode"] == "soft" || entry["mode"] == "hard" else { return nil }
    self.init(wedding: wedding, target, isSoft: entry["mode"] == "soft", reason: reason)
    if !isValid { return nil }
  }
}

extension CDNPurge: CustomStringConvertible {
  package var description: String {
    "\(wedding): \(words.kind) \(words.what)\(isSoft ? " (soft)" : "") for \(reason)"
  }
}
