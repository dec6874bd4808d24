package import HTTPSemantics

/// A table from decoded paths to values, looked up without making a `String`.
///
/// Open addressing with linear probing; lookups are O(1) on average. Nothing a client sends is
/// ever put in, so a hash without a secret is enough.
package struct PathTable<Value> {
  /// The hash of each slot's path, 0 for an empty one: most probes touch nothing else.
  @usableFromInline var hashes: [UInt64]
  @usableFromInline var paths: [[UInt8]]
  @usableFromInline var values: [Value?]
  /// How many paths have a value.
  package var count: Int { used }
  @usableFromInline var used = 0

  @inlinable package init() {
    hashes = Array(repeating: 0, count: 16)
    paths = Array(repeating: [], count: 16)
    values = Array(repeating: nil, count: 16)
  }

  /// The value of the path that a request names.
  @inlinable @inline(__always) package func value(for request: borrowing Request) -> Value? {
    request.withPath { value(of: $0) }
  }

  /// The value of a path given as bytes.
  @inlinable @inline(__always) package func value(of path: borrowing Span<UInt8>) -> Value? {
    guard let index = find(path, pathHash(path)) else { return nil }
    return values[index]
  }

  /// Sets the value of a path, or takes it out.
  @inlinable package mutating func set(_ path: String, _ value: Value?) {
    let bytes = Array(path.utf8)
    let hash = pathHash(bytes.span)
    if let index = find(bytes.span, hash) {
      if let value { values[index] = value } else { remove(at: index) }
      return
    }
    guard let value else { return }
    used += 1
    if used * 2 > hashes.count { grow() }
    place(hash, bytes, value)
  }

  @inlinable @inline(__always) func find(_ path: borrowing Span<UInt8>, _ hash: UInt64) -> Int? {
    let mask = hashes.count - 1
    var index = Int(truncatingIfNeeded: hash) & mask
    while hashes[index] != 0 {
      if hashes[index] == hash, isSame(paths[index], path) { return index }
      index = (index + 1) & mask
    }
    return nil
  }

  @inlinable mutating func place(_ hash: UInt64, _ path: [UInt8], _ value: Value?) {
    let mask = hashes.count - 1
    var index = Int(truncatingIfNeeded: hash) & mask
    while hashes[index] != 0 { index = (index + 1) & mask }
    hashes[index] = hash
    paths[index] = path
    values[index] = value
  }

  /// Takes out one slot and moves back those that had to step over it.
  @inlinable mutating func remove(at start: Int) {
    let mask = hashes.count - 1
    var hole = start
    var index = start
    used -= 1
    while true {
      index = (index + 1) & mask
      guard hashes[index] != 0 else { break }
      let home = Int(truncatingIfNeeded: hashes[index]) & mask
      if (index - home) & mask >= (index - hole) & mask {
        hashes[hole] = hashes[index]
        paths[hole] = paths[index]
        values[hole] = values[index]
        hole = index
      }
    }
    hashes[hole] = 0
    paths[hole] = []
    values[hole] = nil
  }

  @inlinable mutating func grow() {
    let old = (hashes, paths, values)
    let size = hashes.count * 2
    hashes = Array(repeating: 0, count: size)
    paths = Array(repeating: [], count: size)
    values = Array(repeating: nil, count: size)
    for index in old.0.indices where old.0[index] != 0 {
      place(old.0[index], old.1[index], old.2[index])
    }
  }
}

/// Mixes eight bytes at a time; never 0.
@usableFromInline func pathHash(_ path: borrowing Span<UInt8>) -> UInt64 {
  let count = path.count
  return unsafe path.withUnsafeBytes { bytes in
    var hash = UInt64(count) &* 0x9e37_79b9_7f4a_7c15
    var index = 0
    while index + 8 <= count {
      let word = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      hash = (hash ^ word) &* 0x9fb2_1c65_1e98_df25
      hash ^= hash >> 32
      index += 8
    }
    var tail: UInt64 = 0
    while index < count {
      tail = unsafe tail << 8 | UInt64(bytes[index])
      index += 1
    }
    hash = (hash ^ tail) &* 0x9fb2_1c65_1e98_df25
    return (hash ^ hash >> 29) | 1
  }
}

@usableFromInline func isSame(_ a: [UInt8], _ b: borrowing Span<UInt8>) -> Bool {
  let count = a.count
  guard count == b.count else { return false }
  return unsafe a.withUnsafeBytes { left in
    unsafe b.withUnsafeBytes { right in
      for index in 0..<count where unsafe left[index] != right[index] { return false }
      return true
    }
  }
}
