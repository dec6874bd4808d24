import Bytes
import Crypto

/// What nodes of one cluster show each other: made of the cluster's secret, which itself never
/// travels.
package struct PeerPass: Sendable {
  /// Goes into `Authorization: Bearer`.
  package let token: String
  private let key: SymmetricKey

  /// - Parameter secret: of the cluster.
  package init(secret: [UInt8]) {
    key = SymmetricKey(data: secret)
    token = Self.code("wedlive node to node", key)
  }

  /// Proves that a node of the cluster has said something, where its pass must not be shown.
  package func proof(of text: String) -> String { Self.code("wedlive says: \(text)", key) }

  private static func code(_ text: String, _ key: SymmetricKey) -> String {
    Hexadecimal.text(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
  }

  /// Whether it is what a node shows; takes the same time for all of a length.
  package func fits(_ other: String) -> Bool { Self.isSame(token, other) }

  /// Whether a node of the cluster has said something.
  package func fits(_ proof: String, of text: String) -> Bool {
    Self.isSame(self.proof(of: text), proof)
  }

  private static func isSame(_ own: String, _ other: String) -> Bool {
    let own = Array(own.utf8)
    let shown = Array(other.utf8)
    guard own.count == shown.count else { return false }
    var difference: UInt8 = 0
    for index in own.indices { difference |= own[index] ^ shown[index] }
    return difference == 0
  }
}
