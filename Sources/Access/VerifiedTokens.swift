import Bytes

/// What one event loop remembers of tokens that it has verified, so that a viewer's every request
/// does not verify a signature again.
///
/// Confined to its loop: no lock. Bounded: the least recently used token is forgotten. A token is
/// found by a keyed hash of its bytes and then compared whole; the hash's key is random per
/// process, so nobody can aim at one slot. Only good tokens are remembered, or forged ones would
/// push them out. Remembered tokens still end when they expire and when the keys change.
package struct VerifiedTokens {
  private struct Entry {
    var hash: Int
    var token: [UInt8]
    var claims: Claims
    /// Neighbours in order of use; -1 at the ends.
    var newer: Int
    var older: Int
  }

  private let verifier: TokenVerifier
  private let capacity: Int
  private var generation: UInt64
  private var slots: [Int: Int] = [:]
  private var entries: [Entry] = []
  private var newest = -1
  private var oldest = -1

  /// Makes an empty memory.
  ///
  /// - Parameters:
  ///   - verifier: asked for what is not remembered.
  ///   - capacity: tokens kept, each some hundred bytes.
  package init(_ verifier: TokenVerifier, capacity: Int = 4096) {
    self.verifier = verifier
    self.capacity = max(1, capacity)
    generation = verifier.generation
  }

  /// How many tokens are remembered.
  package var count: Int { entries.count }

  /// Accepts a token for a purpose.
  ///
  /// - Parameters:
  ///   - token: its bytes, as they stand in a request.
  ///   - purpose: what it is used for.
  ///   - now: seconds since 1970, from the loop's clock.
  /// - Returns: what the token says.
  /// - Throws: what is wrong with it.
  /// - Complexity: O(token's length) when it is remembered, with no allocation.
  package mutating func accept(
    _ token: borrowing Span<UInt8>, for purpose: Purpose, now: Int64
  ) throws(Refusal) -> Claims {
    let claims = try claims(of: token, now: now)
    try claims.check(purpose)
    return claims
  }

  /// What a good token says, whatever it is for.
  package mutating func claims(
    of token: borrowing Span<UInt8>, now: Int64
  ) throws(Refusal) -> Claims {
    forgetIfKeysChanged()
    guard token.count <= TokenVerifier.maxTokenBytes else { throw Refusal(.tooLong) }
    let hash = VerifiedTokens.hash(token)
    if let slot = slots[hash], VerifiedTokens.equal(entries[slot].token, token) {
      let claims = entries[slot].claims
      // Refused but kept: a replayed token that has expired stays as cheap as a good one.
      try claims.check(now: now, leeway: verifier.leeway)
      use(slot)
      return claims
    }
    let bytes = [UInt8](copying: token)
    let claims = try verifier.verify(bytes, now: now)
    remember(bytes, hash, claims)
    return claims
  }

  /// Whether a token is remembered; asking does not count as use.
  package func isRemembered(_ token: borrowing Span<UInt8>) -> Bool {
    guard let slot = slots[VerifiedTokens.hash(token)] else { return false }
    return VerifiedTokens.equal(entries[slot].token, token)
  }

  private mutating func forgetIfKeysChanged() {
    let current = verifier.generation
    if current == generation { return }
    generation = current
    slots.removeAll(keepingCapacity: true)
    entries.removeAll(keepingCapacity: true)
    newest = -1
    oldest = -1
  }

  private mutating func remember(_ token: [UInt8], _ hash: Int, _ claims: Claims) {
    let entry = Entry(hash: hash, token: token, claims: claims, newer: -1, older: -1)
    if let same = slots[hash] {
      // Two tokens with one 64-bit hash: the newer one stays.
      unlink(same)
      entries[same] = entry
      link(same)
    } else if entries.count < capacity {
      entries.append(entry)
      slots[hash] = entries.count - 1
      link(entries.count - 1)
    } else {
      let slot = oldest
      unlink(slot)
      slots[entries[slot].hash] = nil
      entries[slot] = entry
      slots[hash] = slot
      link(slot)
    }
  }

  private mutating func use(_ slot: Int) {
    if slot == newest { return }
    unlink(slot)
    link(slot)
  }

  private mutating func unlink(_ slot: Int) {
    let (newer, older) = (entries[slot].newer, entries[slot].older)
    if newer >= 0 { entries[newer].older = older } else { newest = older }
    if older >= 0 { entries[older].newer = newer } else { oldest = newer }
  }

  private mutating func link(_ slot: Int) {
    entries[slot].newer = -1
    entries[slot].older = newest
    if newest >= 0 { entries[newest].newer = slot } else { oldest = slot }
    newest = slot
  }

  private static func hash(_ token: borrowing Span<UInt8>) -> Int {
    var hasher = Hasher()
    unsafe token.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    return hasher.finalize()
  }

  private static func equal(_ known: [UInt8], _ token: borrowing Span<UInt8>) -> Bool {
    guard known.count == token.count else { return false }
    var difference: UInt8 = 0
    for index in 0..<known.count { difference |= known[index] ^ token[index] }
    return difference == 0
  }
}
