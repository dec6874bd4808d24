package import Bytes

/// The client's half of the simple handshake.
package struct ClientHandshake: Sendable {
  private let seed: UInt64
  private var received: [UInt8] = []
  private var skipped = 0
  private var hasAnswered = false

  package init(seed: UInt64 = .random(in: .min ... .max)) { self.seed = seed }

  /// Sends C0 and C1.
  package func start(into output: inout [UInt8]) {
    output.append(Handshake.version)
    output += [UInt8](repeating: 0, count: 8)
    output += Handshake.filler(Handshake.packetBytes - 8, seed: seed)
  }

  /// Takes bytes; C2 goes to `output` once S1 is whole.
  ///
  /// - Returns: whether the handshake is done; chunks follow at the cursor.
  /// - Throws: `.version`: the first byte is not RTMP's.
  package mutating func receive(
    _ bytes: borrowing Span<UInt8>, _ cursor: inout ByteCursor, into output: inout [UInt8]
  ) throws(ProtocolError) -> Bool {
    if !hasAnswered {
      if received.isEmpty, cursor.left(bytes) > 0, bytes[cursor.offset] != Handshake.version {
        throw ProtocolError(.version, "the first byte is \(bytes[cursor.offset]), not 3")
      }
      let count = min(cursor.left(bytes), 1 + Handshake.packetBytes - received.count)
      received.append(copying: bytes.extracting(cursor.offset..<cursor.offset + count))
      cursor.offset += count
      guard received.count == 1 + Handshake.packetBytes else { return false }
      output += received[1...]
      received = []
      hasAnswered = true
    }
    let count = min(cursor.left(bytes), Handshake.packetBytes - skipped)
    skipped += count
    cursor.offset += count
    return skipped == Handshake.packetBytes
  }
}
