import Crypto

/// What nodes of one cluster show each other: made of the cluster's secret, which itself never travels.
package struct PeerPass: Sendable {
  /// Goes into `Authorization: Bearer`.
  package let token: String

  /// - Parameter secret: of the cluster.
  package init(secret: [UInt8]) {
    let digits = Array("0123456789abcdef".utf8)
    let code = HMAC<SHA256>.authenticationCode(
      for: Array("wedlive node to node".utf8), using: SymmetricKey(data: secret))
    token = String(
      decoding: code.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// Whether it is what a node shows; takes the same time for all of a length.
  package func fits(_ other: String) -> Bool {
    let own = Array(token.utf8)
    let shown = Array(other.utf8)
    guard own.count == shown.count else { return false }
    var difference: UInt8 = 0
    for index in own.indices { difference |= own[index] ^ shown[index] }
    return difference == 0
  }
}
