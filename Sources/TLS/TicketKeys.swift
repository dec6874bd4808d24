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

/// Decides when a ticket key is made and when it is forgotten, as H2O does: a new key each quarter
/// of a ticket's lifetime, every key kept until a quarter past the lifetime of its last ticket.
package struct TicketKeySchedule: Equatable, Sendable {
  private struct Entry: Equatable, Sendable {
    var key: TicketKey
    /// Seconds, on the caller's clock.
    var made: Int
  }

  /// Seconds that a ticket is good for.
  package let lifetime: Int
  private var entries: [Entry] = []

  /// A schedule without keys; the first `rotate` makes one.
  ///
  /// - Parameter lifetime: at least 4 seconds.
  package init(lifetime: Int = 86_400) { self.lifetime = max(4, lifetime) }

  /// A schedule that goes on with the keys of the process before this one.
  ///
  /// - Parameters:
  ///   - keys: newest first; each is kept as long as one that was made now.
  ///   - now: seconds on the clock that `rotate` is given.
  ///   - lifetime: at least 4 seconds.
  package init(after keys: TicketKeys, now: Int, lifetime: Int = 86_400) {
    self.init(lifetime: lifetime)
    entries = keys.keys.map { Entry(key: $0, made: now) }
  }

  /// The keys of now, newest first.
  package var keys: TicketKeys { TicketKeys(entries.map(\.key)) }

  /// Seconds until `rotate` has something to do.
  package func wait(now: Int) -> Int {
    entries.first.map { max(0, $0.made + lifetime / 4 - now) } ?? 0
  }

  /// Makes a key if it is time, and drops those that no living ticket was sealed with.
  ///
  /// - Parameter now: seconds on any clock that does not go back.
  /// - Returns: whether the keys changed: hand them to the contexts then.
  package mutating func rotate(now: Int) -> Bool {
    let before = entries
    if wait(now: now) == 0, let key = TicketKey.random() {
      entries.insert(Entry(key: key, made: now), at: 0)
    }
    let oldest = now - lifetime - lifetime / 4 - lifetime / 4
    entries.removeAll { $0.made < oldest }
    return entries != before
  }
}
