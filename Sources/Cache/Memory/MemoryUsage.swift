/// What a memory tier holds.
package struct MemoryUsage: Equatable, Sendable {
  /// Objects.
  package var count = 0
  /// What they take.
  package var bytes = 0
  /// Objects that had to go for others, ever.
  package var evictions = 0

  package init(count: Int = 0, bytes: Int = 0, evictions: Int = 0) {
    self.count = count
    self.bytes = bytes
    self.evictions = evictions
  }
}
