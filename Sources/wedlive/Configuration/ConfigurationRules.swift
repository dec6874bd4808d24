import Access
import EventLoop
import Foundation

/// What makes a text fit for a key, beyond its type.
enum ConfigurationRules {
  /// Whether it is an http or https URL with a host and nothing that would end a header or a tag.
  static func isWebAddress(_ text: String) -> Bool {
    guard let url = URL(string: text), let scheme = url.scheme?.lowercased(),
      scheme == "http" || scheme == "https", let host = url.host(), !host.isEmpty
    else { return false }
    return !text.contains { $0.isWhitespace || $0 == "\"" || $0 == "'" || $0 == ";" || $0 == "<" }
  }

  /// Whether it is the name of a host, or a numeric address, without a port.
  static func isHost(_ text: String) -> Bool {
    if SocketAddress(host: text, port: 0) != nil { return true }
    return !text.isEmpty && text.count <= 253
      && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
        (1...63).contains(label.count)
          && label.allSatisfy {
            $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_")
          }
      }
  }

  /// Whether it can name a node: 1 to 64 letters, digits, dots, dashes, underscores.
  static func isNodeID(_ text: String) -> Bool {
    (1...64).contains(text.count)
      && text.allSatisfy {
        $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "." || $0 == "_")
      }
  }

  /// Whether it is a numeric address, alone or with a prefix length: `10.0.0.0/8`.
  static func isNetwork(_ text: String) -> Bool {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let host = parts.first, let address = SocketAddress(host: host, port: 0) else {
      return false
    }
    guard parts.count == 2 else { return true }
    guard let length = Int(parts[1]) else { return false }
    return (0...(address.host.contains(":") ? 128 : 32)).contains(length)
  }

  /// The least length of a secret.
  static let secretBytes = VerificationKeys.minSecretBytes

  /// Whether it can be signed with.
  static func isSecret(_ text: String) -> Bool { text.utf8.count >= secretBytes }

  /// Whether it is a Subresource Integrity value.
  static func isIntegrity(_ text: String) -> Bool {
    let lengths = ["sha256-": 32, "sha384-": 48, "sha512-": 64]
    guard let bytes = lengths[String(text.prefix(7))] else { return false }
    return Data(base64Encoded: String(text.dropFirst(7)))?.count == bytes
  }
}
