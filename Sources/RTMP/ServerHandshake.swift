package import Bytes

/// The server's half of the handshake: it answers C0 and C1, and waits for C2 to pass by.
///
/// A digest at offset 772 or 8 is answered with a digest at the same place; without one (or with
/// one that doesn't fit) the answer is the simple handshake's echo. C2 is not looked at: many
/// clients send one that echoes nothing.
package struct ServerHandshake: Sendable {
  package enum Kind: Equatable, Sendable { case simple, digest(place: Int) }

  /// What the client turned out to speak; nil before C1 is whole.
  package private(set) var kind: Kind?
  private var received: [UInt8] = []
  private var skipped = 0
  private let seed: UInt64

  /// Starts a handshake.
  ///
  /// - Parameter seed: what the filler of S1 and S2 is made from.
  package init(seed: UInt64 = .random(in: .min ... .max)) { self.seed = seed }

  /// Takes bytes; the answer goes to `output` once C1 is whole.
  ///
  /// - Returns: whether the handshake is done; chunks follow at the cursor.
  /// - Throws: `.version`: the first byte is not RTMP's.
  package mutating func receive(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, into output: inout [UInt8]
  ) throws(ProtocolError) -> Bool {
    if received.isEmpty, kind == nil, cursor.left(bytes) > 0, bytes[cursor.offset] != 3 {
      throw ProtocolError(.version, "the first byte is \(bytes[cursor.offset]), not 3")
    }
    if kind == nil {
      let count = min(cursor.left(bytes), 1 + Handshake.packetBytes - received.count)
      received.append(copying: bytes.extracting(cursor.offset..<cursor.offset + count))
      cursor.offset += count
      guard received.count == 1 + Handshake.packetBytes else { return false }
      answer(Array(received[1...]), into: &output)
      received = []
    }
    let count = min(cursor.left(bytes), Handshake.packetBytes - skipped)
    skipped += count
    cursor.offset += count
    return skipped == Handshake.packetBytes
  }

  private mutating func answer(_ c1: [UInt8], into output: inout [UInt8]) {
    output.append(Handshake.version)
    // A version of zero says that there is no digest.
    if c1[4..<8].contains(where: { $0 != 0 }),
      let found = Handshake.findDigest(c1, key: Handshake.playerKey)
    {
      kind = .digest(place: found.place)
      output += digestS1(place: found.place)
      output += digestS2(answering: found.digest)
    } else {
      kind = .simple
      output += [UInt8](repeating: 0, count: 8)
      output += Handshake.filler(Handshake.packetBytes - 8, seed: seed)
      output += c1
    }
  }

  private func digestS1(place: Int) -> [UInt8] {
    var packet: [UInt8] = [0, 0, 0, 0, 0x0d, 0x0e, 0x0a, 0x0d]
    packet += Handshake.filler(Handshake.packetBytes - 8, seed: seed)
    let offset = Handshake.digestOffset(packet, place: place)
    let digest = Handshake.digest(of: packet, at: offset, key: Handshake.serverKey)
    packet.replaceSubrange(offset..<offset + 32, with: digest)
    return packet
  }

  private func digestS2(answering digest: [UInt8]) -> [UInt8] {
    let key = SHA256.hmac(key: Handshake.serverKey + Handshake.keyTail, [digest])
    let body = Handshake.filler(Handshake.packetBytes - 32, seed: ~seed)
    return body + SHA256.hmac(key: key, [body])
  }
}
