import Glibc

/// The tables in which libnghttp2 finds a session's streams: a page for each session.
///
/// While no stream is open nothing stands in one, which is most of the time, and its page can be
/// given back to the kernel: that lends another one, all zero, as soon as it is read or written.
/// Nothing is taken for granted of what libnghttp2 keeps there, since only a page that is all zero
/// is given back.
@safe struct StreamTables {
  /// What libnghttp2 asks for (256 places of 16 bytes), and a page of the kernel.
  static let bytes = 4_096

  /// Those in use, by address.
  private var pages: Set<UInt> = []
  /// The one that was made last.
  private(set) var last: UnsafeMutableRawPointer?
  private let isPage = sysconf(Int32(_SC_PAGESIZE)) == Self.bytes

  init() {}

  /// Makes one, where what is asked for is a page.
  ///
  /// - Returns: nil for all other sizes, and where memory is short.
  mutating func make(bytes: Int) -> UnsafeMutableRawPointer? {
    guard isPage, bytes == Self.bytes else { return nil }
    var page: UnsafeMutableRawPointer?
    guard unsafe posix_memalign(&page, Self.bytes, Self.bytes) == 0, let page = unsafe page else {
      return nil
    }
    unsafe memset(page, 0, Self.bytes)
    pages.insert(UInt(bitPattern: page))
    unsafe last = page
    return unsafe page
  }

  /// The last one has been taken note of.
  mutating func takeLast() -> UnsafeMutableRawPointer? {
    defer { unsafe last = nil }
    return unsafe last
  }

  /// Memory is about to be freed; complexity O(1), next to nothing where it can't be a table.
  mutating func forget(_ pointer: UnsafeMutableRawPointer) {
    let address = UInt(bitPattern: pointer)
    guard address & UInt(Self.bytes - 1) == 0 else { return }
    pages.remove(address)
  }

  /// Gives the page of a table in which nothing stands back.
  ///
  /// - Returns: whether that was done: not where something stands in it, or it has been freed.
  func giveBack(_ page: UnsafeMutableRawPointer) -> Bool {
    guard pages.contains(UInt(bitPattern: page)) else { return false }
    let words = unsafe UnsafeBufferPointer(
      start: page.assumingMemoryBound(to: UInt64.self), count: Self.bytes / 8)
    guard unsafe words.allSatisfy({ $0 == 0 }) else { return false }
    return unsafe madvise(page, Self.bytes, Int32(MADV_DONTNEED)) == 0
  }
}
