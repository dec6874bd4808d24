/// What a server said instead of doing what it was asked, such as `-NOAUTH Authentication
/// required`.
package struct RedisServerError: Error, Hashable, Sendable, CustomStringConvertible {
  /// How much of a server's words is kept.
  private static let longest = 300

  /// The server's own words, without control characters; never more than 300 of them.
  package let words: String

  package init(_ words: some StringProtocol) {
    let printable = words.prefix(Self.longest).unicodeScalars.map { scalar in
      scalar.value < 0x20 || scalar.value == 0x7F ? " " : Character(scalar)
    }
    self.words = String(printable)
  }

  /// The first word, which tells errors apart: `ERR`, `WRONGTYPE`, `NOAUTH`, `MOVED`.
  package var kind: Substring { words.prefix { $0 != " " } }

  /// Whether the same command may succeed later.
  package var canRetry: Bool {
    switch kind {
    case "LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "READONLY", "NOREPLICAS",
      "OOM", "MISCONF", "UNBLOCKED":
      true
    default: false
    }
  }

  /// Whether the server says by it that it isn't the primary we took it for, or not yet.
  var deniesPrimary: Bool {
    switch kind {
    case "READONLY", "LOADING", "MASTERDOWN": true
    default: false
    }
  }

  package var description: String {
    switch kind {
    case "MOVED", "ASK", "CROSSSLOT":
      "\(words) (Redis Cluster: one server, or a primary that Sentinel watches, is supported; "
        + "keys are not followed to other nodes)"
    default: words
    }
  }
}
