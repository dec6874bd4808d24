import Synchronization

/// Objects in memory, for all loops: bounded by bytes and by count.
///
/// In shards, each under a lock of its own that is held for a lookup's time. What is found is
/// handed out by reference, so that an object which is dropped goes on for those who still send it.
package final class MemoryTier<Value: Sendable>: Sendable {
  /// A class, as a lock has a place of its own.
  private final class Shard: Sendable {
    let state: Mutex<ObjectTable<Value>>

    init(bytes: Int, count: Int) { state = Mutex(ObjectTable(bytes: bytes, count: count)) }
  }

  private let shards: [Shard]
  private let mask: UInt64

  /// Makes an empty tier.
  ///
  /// - Parameters:
  ///   - bytes: that all objects take at most. One object takes at most a shard's part of it.
  ///   - count: of objects.
  ///   - wanted: how many shards, a power of two; fewer are made where a part would be less than 64
  ///     MiB.
  package init(bytes: Int, count: Int, shards wanted: Int = 16) {
    var number = 1
    while number < wanted, bytes / (number * 2) >= 64 << 20 { number *= 2 }
    shards = (0..<number).map { _ in
      Shard(bytes: bytes / number, count: max(1, count / number))
    }
    mask = UInt64(number - 1)
  }

  private func shard(_ key: CacheKey) -> Shard { shards[Int(key.high & mask)] }

  /// The largest object that is kept, in bytes.
  package var largestObject: Int { shards[0].state.withLock { $0.capacityBytes } }

  /// Finds an object, and notes that it was asked for.
  package func value(_ key: CacheKey) -> Value? {
    shard(key).state.withLock { $0.value(key) }
  }

  /// Finds an object without noting it.
  package func peek(_ key: CacheKey) -> Value? {
    shard(key).state.withLock { $0.peek(key) }
  }

  /// Stores an object, in the place of one of the same key.
  ///
  /// - Parameters:
  ///   - key: its name.
  ///   - value: the object.
  ///   - bytes: what it takes, its head and its keeping counted.
  ///   - tags: under which it may be purged.
  /// - Returns: what had to go for it; itself where it is too large.
  @discardableResult package func insert(
    _ key: CacheKey, _ value: Value, bytes: Int, tags: [String] = []
  ) -> [(key: CacheKey, value: Value)] {
    let hashes = Array(Set(tags.map(TagIndex.hash)))
    // Freed by the caller, not under the lock.
    return shard(key).state.withLock { shard in
      var gone: [(key: CacheKey, value: Value)] = []
      shard.insert(key, value, bytes: bytes, tags: hashes) { gone.append(($0, $1)) }
      return gone
    }
  }

  /// Takes an object out.
  @discardableResult package func remove(_ key: CacheKey) -> Value? {
    shard(key).state.withLock { $0.remove(key) }
  }

  /// How many tags, or slots, are looked at while a shard is locked: what loops wait for at most.
  private static var stretch: Int { 1_024 }

  /// Changes all that have one of some tags, or takes it out; O(tags and those).
  ///
  /// - Parameters:
  ///   - tags: any number; a shard is locked for a stretch of them at a time.
  ///   - change: says what becomes of each object; called under a lock.
  /// - Returns: how many were changed or taken out.
  package func change(
    tagged tags: [String], _ change: (CacheKey, Value) -> ObjectChange<Value>
  ) -> Int {
    let hashes = tags.map(TagIndex.hash)
    var count = 0
    for start in stride(from: 0, to: hashes.count, by: Self.stretch) {
      let part = hashes[start..<min(start + Self.stretch, hashes.count)]
      for shard in shards {
        // Freed by the caller, not under the lock.
        let gone = shard.state.withLock { shard in
          var gone: [Value] = []
          for tag in part {
            count += shard.change(tagged: tag, change) { gone.append($0) }.count
          }
          return gone
        }
        withExtendedLifetime(gone) {}
      }
    }
    return count
  }

  /// Looks at all objects, and changes some or takes them out; O(objects), a stretch at a time.
  ///
  /// - Parameter change: says what becomes of each; called under a lock.
  /// - Returns: how many were changed or taken out.
  package func changeAll(_ change: (CacheKey, Value) -> ObjectChange<Value>) -> Int {
    var count = 0
    for shard in shards {
      var start = 0
      var end = 0
      repeat {
        let gone = shard.state.withLock { shard in
          var gone: [Value] = []
          count += shard.change(in: start..<start + Self.stretch, change) { gone.append($0) }.count
          end = shard.slotCount
          return gone
        }
        withExtendedLifetime(gone) {}
        start += Self.stretch
      } while start < end
    }
    return count
  }

  /// What it holds now.
  package var usage: MemoryUsage {
    shards.reduce(into: MemoryUsage()) { total, shard in
      shard.state.withLock {
        total.count += $0.count
        total.bytes += $0.bytes
        total.evictions += $0.evictions
      }
    }
  }
}
