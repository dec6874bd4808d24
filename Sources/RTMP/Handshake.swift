import Bytes

/// What both halves of the handshake share: sizes, keys and the place of the digest.
///
/// - Note: Source: RTMP 1.0, 5.2; the digest is Adobe's later addition, which was never published
///   and is known from what Flash Player 9 and later send.
package enum Handshake {
  /// The protocol version, the first byte on the wire.
  package static let version: UInt8 = 3
  /// The size of C1, S1, C2 and S2.
  package static let packetBytes = 1536

  /// Where in C1 or S1 the digest stands: the four bytes there sum up to its offset.
  package static let digestPlaces = [772, 8]

  package static let playerKey = Array("Genuine Adobe Flash Player 001".utf8)
  package static let serverKey = Array("Genuine Adobe Flash Media Server 001".utf8)
  /// What both full keys end with.
  package static let keyTail: [UInt8] = [
    0xf0, 0xee, 0xc2, 0x4a, 0x80, 0x68, 0xbe, 0xe8, 0x2e, 0x00, 0xd0, 0xd1, 0x02, 0x9e, 0x7e,
    0x57, 0x6e, 0xec, 0x5d, 0x2d, 0x29, 0x80, 0x6f, 0xab, 0x93, 0xb8, 0xe6, 0x36, 0xcf, 0xeb,
    0x31, 0xae,
  ]

  /// The offset of the digest in a packet: 776...1503 or 12...739.
  package static func digestOffset(_ packet: [UInt8], place: Int) -> Int {
    let sum = packet[place..<place + 4].reduce(0) { $0 + Int($1) }
    return sum % 728 + place + 4
  }

  /// The digest that a packet should carry at `offset`: of all its other bytes.
  package static func digest(of packet: [UInt8], at offset: Int, key: [UInt8]) -> [UInt8] {
    SHA256.hmac(key: key, [Array(packet[..<offset]), Array(packet[(offset + 32)...])])
  }

  /// Looks for a valid digest.
  ///
  /// - Returns: its place and itself, or nil: the peer speaks the simple handshake.
  package static func findDigest(_ packet: [UInt8], key: [UInt8]) -> (place: Int, digest: [UInt8])?
  {
    for place in digestPlaces {
      let offset = digestOffset(packet, place: place)
      let found = Array(packet[offset..<offset + 32])
      if found == digest(of: packet, at: offset, key: key) { return (place, found) }
    }
    return nil
  }

  /// Filler: it needs to differ from connection to connection, not to be unguessable.
  package static func filler(_ count: Int, seed: UInt64) -> [UInt8] {
    var state = seed
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
      state &+= 0x9e37_79b9_7f4a_7c15
      var word = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
      word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
      bytes.append(u64: word ^ word >> 31)
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }
}
