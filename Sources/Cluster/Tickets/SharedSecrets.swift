import Crypto
package import Redis

/// Secrets that all nodes have at a time and that change as time goes on: what TLS session tickets
/// are sealed with, so that a viewer resumes on any node.
///
/// Time is cut into slots. The secret of each stands under `wl:ticket:{slot}`, sealed with the
/// cluster's secret (AES-GCM): whoever needs it first makes it, and Redis keeps the first. That of
/// the next slot is made a slot ahead, so that all nodes have it before one of them uses it,
/// whatever their clocks say.
package struct SharedSecrets: Sendable {
  /// Those of a time.
  package struct Moment: Equatable, Sendable {
    /// That of now first, then the one that comes next, then those before it.
    package let secrets: [[UInt8]]
    /// Seconds until there are others.
    package let validFor: Int64
  }

  /// Seconds for which one is used.
  package let slotSeconds: Int64
  /// How many slots back a secret is still good for.
  package let kept: Int
  private let bytes: Int
  private let client: RedisClient
  private let key: SymmetricKey
  private let deadline: Duration

  /// - Parameters:
  ///   - client: of the cluster's Redis.
  ///   - secret: of the cluster.
  ///   - bytes: of each secret.
  ///   - slotSeconds: for which one is used, at least 2; the same on all nodes.
  ///   - kept: how many slots back one is still good for.
  ///   - deadline: for what Redis is asked.
  package init(
    _ client: RedisClient, secret: [UInt8], bytes: Int, slotSeconds: Int64 = 21_600, kept: Int = 5,
    deadline: Duration = .seconds(2)
  ) {
    self.client = client
    self.bytes = bytes
    self.slotSeconds = max(2, slotSeconds)
    self.kept = kept
    self.deadline = deadline
    key = HKDF<SHA256>.deriveKey(
      inputKeyMaterial: SymmetricKey(data: secret), info: Array("wedlive tickets".utf8),
      outputByteCount: 32)
  }

  /// The secrets of a time; those that nobody has made yet are made.
  ///
  /// - Parameter now: seconds since 1970.
  /// - Returns: two at least.
  /// - Throws: `.unavailable` where Redis can't be asked, `.malformed` where it has what no node of
  ///   this cluster has written.
  package func moment(at now: Int64) async throws(ClusterError) -> Moment {
    let slot = now / slotSeconds
    let slots = [slot, slot + 1] + (1...Int64(max(1, kept))).map { slot - $0 }
    var commands: [RedisCommand] = []
    for (index, slot) in slots.prefix(2).enumerated() {
      let life = slotSeconds * Int64(kept + 2 + index)
      commands.append(
        RedisCommand("SET", Self.name(slot), try seal(slot), "NX", "EX", life))
    }
    for slot in slots { commands.append(RedisCommand("GET", Self.name(slot))) }
    let replies: [RedisValue]
    do throws(RedisError) {
      replies = try await client.pipeline(commands, deadline: deadline)
    } catch {
      throw .unavailable(error)
    }
    var secrets: [[UInt8]] = []
    for (slot, reply) in zip(slots, replies.dropFirst(2)) {
      switch reply {
      case .error(let error): throw .unavailable(.refused(error))
      case .null: continue
      default: break
      }
      guard let sealed = reply.bytes, let secret = open(sealed, slot) else {
        throw .malformed(Self.name(slot))
      }
      secrets.append(secret)
    }
    return Moment(secrets: secrets, validFor: slotSeconds - now % slotSeconds)
  }

  /// For who tells a person that this fails.
  package var trouble: RedisTrouble { RedisTrouble(client) }

  private static func name(_ slot: Int64) -> String { "wl:ticket:\(slot)" }

  private func seal(_ slot: Int64) throws(ClusterError) -> [UInt8] {
    var source = SystemRandomNumberGenerator()
    let secret = (0..<bytes).map { _ in UInt8.random(in: 0...255, using: &source) }
    guard
      let box = try? AES.GCM.seal(
        secret, using: key, authenticating: Array(Self.name(slot).utf8)),
      let sealed = box.combined
    else { throw .refused("a ticket's secret can't be sealed") }
    return Array(sealed)
  }

  private func open(_ sealed: [UInt8], _ slot: Int64) -> [UInt8]? {
    guard let box = try? AES.GCM.SealedBox(combined: sealed),
      let secret = try? AES.GCM.open(
        box, using: key, authenticating: Array(Self.name(slot).utf8))
    else { return nil }
    return secret.count == bytes ? Array(secret) : nil
  }
}
