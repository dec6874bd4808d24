import Crypto

/// What is kept of a stream key: enough to know it again, not enough to use it.
package enum CredentialDigest {
  /// The SHA-256 of a key.
  ///
  /// - Parameter key: the whole token.
  /// - Returns: 32 bytes.
  package static func of(_ key: some Sequence<UInt8>) -> [UInt8] {
    Array(SHA256.hash(data: Array(key)))
  }
}
