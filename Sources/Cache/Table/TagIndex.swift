/// Which objects have which tag, so that a purge looks at nothing else.
///
/// Tags are kept as 64 bits of their hash: of two that came to the same, both would be purged,
/// which costs a request to the origin and is never wrong.
struct TagIndex {
  private var keys: [UInt64: Set<CacheKey>] = [:]

  /// What a tag is kept as.
  static func hash(_ tag: String) -> UInt64 {
    var tag = tag
    return tag.withUTF8 { bytes in
      unsafe SipHash(k0: 0, k1: 0).hash(Span(_unsafeElements: bytes)).low
    }
  }

  mutating func insert(_ key: CacheKey, _ tags: [UInt64]) {
    for tag in tags { keys[tag, default: []].insert(key) }
  }

  mutating func remove(_ key: CacheKey, _ tags: [UInt64]) {
    for tag in tags {
      keys[tag]?.remove(key)
      if keys[tag]?.isEmpty == true { keys[tag] = nil }
    }
  }

  /// The objects that have a tag.
  func keys(_ tag: UInt64) -> Set<CacheKey> { keys[tag] ?? [] }

  /// Tags that some object has.
  var count: Int { keys.count }
}
