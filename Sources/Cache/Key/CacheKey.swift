/// Names a stored object: 128 bits of `SipHash` over what it is asked by.
package struct CacheKey: Hashable, Sendable {
  package let low: UInt64
  package let high: UInt64

  package init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  /// The bits are random already; one half of them is enough of a hash.
  package func hash(into hasher: inout Hasher) { hasher.combine(low) }
}
