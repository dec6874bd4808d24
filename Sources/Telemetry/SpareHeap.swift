import CLinux

/// What the C allocator keeps of memory that was freed: after a load it may be most of the process,
/// and no pressure of others makes glibc give it back.
package enum SpareHeap {
  /// Less than this is kept for the next load.
  static let leastBytes = 64 << 20

  /// Gives memory back that nothing uses, where it is much: more than 64 MiB, and than half of what
  /// is in use.
  ///
  /// It holds each arena's lock for as long as the kernel needs for its free pages: measured, 0.1 s
  /// for 1 GiB, and 5 to 30 ms where they had been given back before. Who allocates from that arena
  /// waits meanwhile. Unless it was at the end of an arena, what has been given back still counts
  /// as `free` in `wedlive_heap_bytes`, and is looked at again by the next call.
  ///
  /// - Returns: whether it was much.
  @discardableResult
  package static func giveBack() -> Bool {
    let heap = mallinfo2()
    guard isMuch(free: Int(heap.fordblks), used: Int(heap.uordblks)) else { return false }
    malloc_trim(0)
    return true
  }

  /// What is in use; 0 where a sanitizer brings an allocator of its own.
  static var usedBytes: Int { Int(mallinfo2().uordblks) }

  static func isMuch(free: Int, used: Int) -> Bool { free > max(leastBytes, used / 2) }
}
