import Glibc

/// Addresses and networks, such as `10.0.0.0/8` and `::1`: those who are trusted to say something.
package struct NetworkList: Sendable, Equatable, ExpressibleByArrayLiteral {
  private struct Network: Sendable, Equatable {
    /// 16 bytes; IPv4 as IPv4-mapped.
    var bytes: [UInt8]
    /// How many leading bits count, 0...128.
    var bits: Int
  }

  private var networks: [Network] = []

  /// A list of none.
  package init() {}

  package init(arrayLiteral texts: String...) {
    self = NetworkList(texts) ?? NetworkList()
  }

  /// Reads addresses and networks; nil where one of them is neither.
  package init?(_ texts: [String]) {
    for text in texts {
      let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
      guard let address = SocketAddress(host: parts[0], port: 0) else { return nil }
      let offset = address.family == AF_INET ? 96 : 0
      var bits = 128
      if parts.count > 1 {
        guard let prefix = Int(parts[1]), (0...(128 - offset)).contains(prefix) else { return nil }
        bits = prefix + offset
      }
      networks.append(Network(bytes: address.mappedBytes, bits: bits))
    }
  }

  package var isEmpty: Bool { networks.isEmpty }

  /// Whether an address lies in one of the networks.
  package func contains(_ address: SocketAddress) -> Bool {
    guard !networks.isEmpty else { return false }
    let bytes = address.mappedBytes
    return networks.contains { network in
      var left = network.bits
      for index in 0..<16 where left > 0 {
        let mask: UInt8 = left >= 8 ? 0xff : ~(0xff >> UInt8(left))
        if (bytes[index] ^ network.bytes[index]) & mask != 0 { return false }
        left -= 8
      }
      return true
    }
  }
}
