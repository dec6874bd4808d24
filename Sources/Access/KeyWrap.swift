import Crypto
import Foundation

/// Seals stream keys for the store, so that who reads the store can't decrypt a wedding.
///
/// AES-256-GCM under a key that HKDF-SHA-256 makes of the node's or the cluster's secret. What a
/// key is for is authenticated with it: a sealed key that was moved to another row can't be opened.
package struct KeyWrap: Sendable {
  /// A sealed key that can't be opened: it was made with another secret, or damaged.
  package struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
  }

  private let key: SymmetricKey

  /// Makes a wrap.
  ///
  /// - Parameter secret: the same on all nodes that share a store.
  package init(secret: [UInt8]) {
    key = HKDF<SHA256>.deriveKey(
      inputKeyMaterial: SymmetricKey(data: secret), info: Data("wedlive stream keys".utf8),
      outputByteCount: 32)
  }

  /// Seals a key.
  ///
  /// - Parameters:
  ///   - plain: the key.
  ///   - purpose: what it is for; needed again to open it.
  /// - Returns: 28 bytes more than `plain`, other ones each time.
  /// - Throws: what CryptoKit says; never for want of anything that a caller could give.
  package func seal(_ plain: [UInt8], for purpose: String) throws -> [UInt8] {
    let box = try AES.GCM.seal(plain, using: key, authenticating: Data(purpose.utf8))
    return Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
  }

  /// Opens a sealed key.
  ///
  /// - Parameters:
  ///   - sealed: what `seal` returned.
  ///   - purpose: the same as there.
  /// - Returns: the key.
  /// - Throws: `Failure`.
  package func open(_ sealed: [UInt8], for purpose: String) throws(Failure) -> [UInt8] {
    do {
      let box = try AES.GCM.SealedBox(combined: sealed)
      return Array(try AES.GCM.open(box, using: key, authenticating: Data(purpose.utf8)))
    } catch {
      throw Failure(
        description:
          "the stream key for \(purpose) can't be opened: it was kept under another secret"
          + " than this node has, or is damaged")
    }
  }
}
