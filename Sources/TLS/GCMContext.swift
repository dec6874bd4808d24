import COpenSSL
import Glibc

/// One AES-GCM operation of libipsec-mb, as an EVP cipher context sees it.
///
/// It stands at the end of one 64-byte aligned block, after the expanded key, the library's state
/// and the buffers that its pointers lead to.
@unsafe struct GCMContext {
  enum IVState { case none, buffered, finished }

  let functions: UnsafePointer<wl_gcm>
  let keyCount: Int
  let expanded: UnsafeMutableRawPointer
  let state: UnsafeMutableRawPointer
  let iv: UnsafeMutablePointer<UInt8>
  let tag: UnsafeMutablePointer<UInt8>
  /// Additional data, which the library wants whole: kept until the first data.
  var aad: UnsafeMutablePointer<UInt8>
  var aadCount = 0
  var aadCapacity = Layout.aadBytes
  var encrypts = false
  var hasKey = false
  var ivState = IVState.none
  /// Additional data went in and `begin` was called for this IV.
  var hasBegun = false
  /// Bytes of data under this IV.
  var dataCount = 0
  /// Bytes of tag given (decrypting) or made (encrypting), or nil.
  var tagCount: Int?
  /// TLS 1.2: the record's additional data stands in `aad`.
  var isTLS12Record = false
  /// TLS 1.2: the fixed part of the IV was given, the rest counts up.
  var ivCounts = false
  /// TLS 1.2: records sealed; refuses to wrap.
  var records: UInt64 = 0

  /// GCM's limits: 2^36 - 32 bytes of data, 2^61 - 1 of additional data.
  static let mostData = (1 << 36) - 32
  static let mostAAD = 1 << 30

  /// The parts of a TLS 1.2 record.
  enum TLS12 {
    static let aadCount = 13
    static let explicitIVCount = 8
    static let fixedIVCount = 4
    static let tagCount = 16
  }

  /// Where things stand in a context's block.
  struct Layout {
    static let aadBytes = 16
    let expanded = 0
    let state: Int
    let iv: Int
    let tag: Int
    let aad: Int
    let context: Int
    let total: Int

    init(expandedBytes: Int, stateBytes: Int) {
      // An idle connection keeps two contexts: only the key needs a cache line's alignment.
      func up(_ bytes: Int) -> Int { (bytes + 15) & ~15 }
      state = up(expandedBytes)
      iv = state + up(stateBytes)
      tag = iv + 16
      aad = tag + 16
      context = aad + Layout.aadBytes
      total = unsafe context + up(MemoryLayout<GCMContext>.size)
    }
  }

  /// A new context, or nil when out of memory.
  static func make(
    _ functions: UnsafePointer<wl_gcm>, _ layout: Layout, keyCount: Int
  ) -> UnsafeMutablePointer<GCMContext>? {
    var allocated: UnsafeMutableRawPointer?
    guard unsafe posix_memalign(&allocated, 64, layout.total) == 0,
      let block = unsafe allocated
    else { return nil }
    unsafe memset(block, 0, layout.total)
    let context = unsafe (block + layout.context).bindMemory(to: GCMContext.self, capacity: 1)
    unsafe context.initialize(
      to: GCMContext(
        functions: functions, keyCount: keyCount,
        expanded: block + layout.expanded, state: block + layout.state,
        iv: (block + layout.iv).assumingMemoryBound(to: UInt8.self),
        tag: (block + layout.tag).assumingMemoryBound(to: UInt8.self),
        aad: (block + layout.aad).assumingMemoryBound(to: UInt8.self)))
    return unsafe context
  }

  /// Cleanses and frees everything.
  static func free(_ context: UnsafeMutablePointer<GCMContext>) {
    let block = unsafe context.pointee.expanded
    let total = unsafe FastCipherProvider.layout.total
    unsafe context.pointee.dropLongAAD()
    unsafe OPENSSL_cleanse(block, total)
    unsafe Glibc.free(block)
  }

  /// A deep copy, or nil when out of memory.
  static func copy(
    _ context: UnsafeMutablePointer<GCMContext>
  ) -> UnsafeMutablePointer<GCMContext>? {
    let old = unsafe context.pointee
    guard let new = unsafe make(old.functions, FastCipherProvider.layout, keyCount: old.keyCount)
    else {
      return nil
    }
    // Everything before the struct: key, state, IV, tag, short additional data.
    unsafe memcpy(new.pointee.expanded, old.expanded, FastCipherProvider.layout.context)
    unsafe new.pointee.encrypts = old.encrypts
    unsafe new.pointee.hasKey = old.hasKey
    unsafe new.pointee.ivState = old.ivState
    unsafe new.pointee.hasBegun = old.hasBegun
    unsafe new.pointee.dataCount = old.dataCount
    unsafe new.pointee.tagCount = old.tagCount
    unsafe new.pointee.isTLS12Record = old.isTLS12Record
    unsafe new.pointee.ivCounts = old.ivCounts
    unsafe new.pointee.records = old.records
    if unsafe old.aadCapacity > Layout.aadBytes {
      guard unsafe new.pointee.append(aad: old.aad, old.aadCount) else {
        unsafe free(new)
        return nil
      }
    } else {
      unsafe new.pointee.aadCount = old.aadCount
    }
    return unsafe new
  }

  /// Keeps additional data until the first data; false when there is too much or no memory.
  mutating func append(aad bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    guard count >= 0, unsafe aadCount + count <= GCMContext.mostAAD else { return false }
    let needed = unsafe aadCount + count
    if unsafe needed > aadCapacity {
      let capacity = unsafe max(needed, 2 * aadCapacity)
      guard let larger = unsafe malloc(capacity)?.assumingMemoryBound(to: UInt8.self) else {
        return false
      }
      unsafe memcpy(larger, aad, aadCount)
      let kept = unsafe aadCount
      unsafe dropLongAAD()
      unsafe (aad, aadCount, aadCapacity) = (larger, kept, capacity)
    }
    unsafe memcpy(aad + aadCount, bytes, count)
    unsafe aadCount = needed
    return true
  }

  /// Goes back to the additional data's place in the block.
  private mutating func dropLongAAD() {
    guard unsafe aadCapacity > Layout.aadBytes else { return unsafe aadCount = 0 }
    unsafe OPENSSL_cleanse(aad, aadCapacity)
    unsafe Glibc.free(aad)
    unsafe aad = (expanded + FastCipherProvider.layout.aad).assumingMemoryBound(to: UInt8.self)
    unsafe aadCapacity = Layout.aadBytes
    unsafe aadCount = 0
  }

  // MARK: The operation

  /// Starts over for a message: key, IV or both may be given, what is not stays.
  mutating func initialise(
    encrypts: Bool, key: UnsafePointer<UInt8>?, keyCount given: Int, iv new: UnsafePointer<UInt8>?,
    ivCount: Int
  ) -> Bool {
    unsafe self.encrypts = encrypts
    if let new = unsafe new {
      guard ivCount == 12 else { return false }
      unsafe memcpy(iv, new, 12)
      unsafe ivState = .buffered
    }
    if let key = unsafe key {
      guard unsafe given == keyCount else { return false }
      unsafe functions.pointee.prepare(key, expanded)
      unsafe hasKey = true
      unsafe records = 0
    }
    unsafe dropLongAAD()
    unsafe hasBegun = false
    unsafe dataCount = 0
    unsafe tagCount = encrypts ? nil : tagCount
    unsafe isTLS12Record = false
    return true
  }

  /// Gives the library IV and additional data.
  private mutating func begin() {
    unsafe functions.pointee.begin(expanded, state, iv, aad, UInt64(aadCount))
    unsafe hasBegun = true
  }

  /// Whether key and IV are there; encrypting, a random IV is made where none was set.
  private mutating func isReady() -> Bool {
    guard unsafe hasKey, unsafe ivState != .finished else { return false }
    if unsafe ivState == .none {
      guard unsafe encrypts, unsafe RAND_bytes(iv, 12) == 1 else { return false }
      unsafe ivState = .buffered
    }
    return true
  }

  /// Takes additional data; it has to come before all data.
  mutating func update(aad bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    guard unsafe isReady(), unsafe !hasBegun else { return false }
    return unsafe append(aad: bytes, count)
  }

  /// Encrypts or decrypts `count` bytes, in place or not, any number of times.
  mutating func update(
    _ out: UnsafeMutablePointer<UInt8>, _ bytes: UnsafePointer<UInt8>, _ count: Int
  ) -> Bool {
    guard unsafe isReady(), count >= 0, unsafe dataCount <= GCMContext.mostData - count else {
      return false
    }
    if unsafe !hasBegun { unsafe begin() }
    unsafe dataCount += count
    if unsafe encrypts {
      unsafe functions.pointee.seal(expanded, state, out, bytes, UInt64(count))
    } else {
      unsafe functions.pointee.open(expanded, state, out, bytes, UInt64(count))
    }
    return true
  }

  /// Makes the tag, or compares it with the one given; the IV is then used up.
  mutating func finish() -> Bool {
    guard unsafe isReady() else { return false }
    if unsafe !hasBegun { unsafe begin() }
    unsafe ivState = .finished
    if unsafe encrypts {
      unsafe functions.pointee.finish_seal(expanded, state, tag, 16)
      unsafe tagCount = 16
      return true
    }
    guard let count = unsafe tagCount else { return false }
    return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16) { made in
      guard let base = made.baseAddress else { return false }
      unsafe functions.pointee.finish_open(expanded, state, base, 16)
      let equal = unsafe CRYPTO_memcmp(base, tag, count) == 0
      unsafe OPENSSL_cleanse(base, 16)
      return equal
    }
  }
}
