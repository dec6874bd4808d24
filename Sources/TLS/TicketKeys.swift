import COpenSSL

/// One key that session tickets are sealed with: AES-256-CBC and HMAC-SHA-256.
package struct TicketKey: Equatable, Sendable {
  /// What a ticket names its key by; 16 bytes, not secret.
  package let name: [UInt8]
  let cipherKey: [UInt8]
  let macKey: [UInt8]

  /// Bytes of a key as it is stored and sent: name, cipher key, MAC key.
  package static let byteCount = 16 + 32 + 32

  /// A key out of its 80 bytes, or nil where they are not 80.
  package init?(bytes: [UInt8]) {
    guard bytes.count == TicketKey.byteCount else { return nil }
    name = Array(bytes[0..<16])
    cipherKey = Array(bytes[16..<48])
    macKey = Array(bytes[48..<80])
  }

  /// A new random key, or nil where the system has no randomness to give.
  package static func random() -> TicketKey? {
    var bytes = [UInt8](repeating: 0, count: byteCount)
    guard unsafe RAND_bytes(&bytes, Int32(byteCount)) == 1 else { return nil }
    return TicketKey(bytes: bytes)
  }

  /// The 80 bytes; secret.
  package var bytes: [UInt8] { name + cipherKey + macKey }
}

extension TicketKey: CustomStringConvertible {
  /// The name alone: a key must not reach a log.
  package var description: String {
    "ticket key " + name.prefix(4).map { String($0, radix: 16) }.joined()
  }
}

/// The keys of one moment: tickets are sealed with the first and opened with any.
package struct TicketKeys: Equatable, Sendable {
  /// Newest first, never empty in a server that issues tickets.
  package var keys: [TicketKey]

  package init(_ keys: [TicketKey]) { self.keys = keys }

  package init(current: TicketKey, previous: TicketKey? = nil) {
    keys = [current] + (previous.map { [$0] } ?? [])
  }

  /// One random key: tickets of this process, for this process.
  package static func random() -> TicketKeys { TicketKeys(TicketKey.random().map { [$0] } ?? []) }

  var current: TicketKey? { keys.first }

  /// The place of the key that a ticket names: 0 is the current one.
  func index(named name: UnsafePointer<UInt8>) -> Int? {
    keys.firstIndex { key in
      unsafe key.name.withUnsafeBufferPointer {
        unsafe memcmp($0.baseAddress.unsafelyUnwrapped, name, 16) == 0
      }
    }
  }
}
