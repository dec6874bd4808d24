import Bytes
import COpenSSL

/// One record that is sealed from where its plaintext stands to where its ciphertext is gathered.
///
/// libssl copies plaintext into a buffer of its own, has it sealed there, and hands that to the
/// BIO, which copies it once more. Those two copies, and the one that puts a frame's header before
/// its body, cost more than the fast cipher itself. So libssl is given a decoy of the record's
/// length: the cipher knows it by its mark, seals the real plaintext straight into the output, and
/// the BIO takes only the record's header and tag from libssl. Keys, sequence numbers, content
/// types and tags stay libssl's; a decoy that was sealed by anybody else is never sent.
@unsafe struct DirectSealing {
  /// Starts a decoy: 16 secret bytes, different in every process, then the address of the request.
  struct Mark: Equatable { var low, high: UInt64 }

  /// Nil where there is no randomness to be had: a mark that anybody can guess would be worse.
  // Only read once it is made, which Swift does once for all threads.
  nonisolated(unsafe) static let mark: UnsafePointer<Mark>? = {
    let mark = UnsafeMutablePointer<Mark>.allocate(capacity: 1)
    unsafe mark.initialize(to: Mark(low: 0, high: 0))
    let bytes = unsafe UnsafeMutableRawPointer(mark).assumingMemoryBound(to: UInt8.self)
    return unsafe RAND_bytes(bytes, 16) == 1 ? UnsafePointer(mark) : nil
  }()

  /// A decoy is at least this long: mark and address have to fit.
  static let least = 64

  static let headerCount = 5
  static let tagCount = 16

  /// The session that writes, while it does.
  var io: UnsafeMutablePointer<GatherIO>?
  var head: UnsafePointer<UInt8>?
  var headCount = 0
  var body: UnsafePointer<UInt8>?
  var bodyCount = 0
  /// Where in the output the record was sealed for, once it was.
  var sealedAt: Int?
  /// Whether the BIO took the sealed record.
  var isDelivered = false

  /// Seals the real plaintext in place of a decoy that libssl has in `bytes`.
  ///
  /// - Returns: nil where `bytes` are no decoy, else whether it was sealed.
  @inline(__always) static func seal(
    _ context: UnsafeMutablePointer<GCMContext>, _ bytes: UnsafePointer<UInt8>, _ count: Int
  ) -> Bool? {
    guard unsafe count > least else { return nil }
    let raw = unsafe UnsafeRawPointer(bytes)
    guard let mark = unsafe mark,
      unsafe raw.loadUnaligned(as: Mark.self) == mark.pointee,
      let request = unsafe raw.loadUnaligned(
        fromByteOffset: 16, as: UnsafeMutablePointer<DirectSealing>?.self)
    else { return nil }
    return unsafe request.pointee.seal(context, contentType: bytes + (count - 1), count)
  }

  private mutating func seal(
    _ context: UnsafeMutablePointer<GCMContext>, contentType: UnsafePointer<UInt8>, _ count: Int
  ) -> Bool {
    // What follows the plaintext is TLS 1.3's content type, and nothing else: no padding.
    guard let io = unsafe io, unsafe sealedAt == nil, unsafe count == headCount + bodyCount + 1,
      let output = unsafe io.pointee.output,
      unsafe io.pointee.end + DirectSealing.headerCount + count + DirectSealing.tagCount
        <= io.pointee.pool.pointee.capacity
    else { return false }
    var at = unsafe output + io.pointee.end + DirectSealing.headerCount
    if let head = unsafe head, unsafe headCount > 0 {
      guard unsafe context.pointee.update(at, head, headCount) else { return false }
      unsafe at += headCount
    }
    if let body = unsafe body, unsafe bodyCount > 0 {
      guard unsafe context.pointee.update(at, body, bodyCount) else { return false }
      unsafe at += bodyCount
    }
    guard unsafe context.pointee.update(at, contentType, 1) else { return false }
    unsafe sealedAt = io.pointee.end
    return true
  }

  /// Takes header and tag of a sealed record out of what libssl writes; the rest is in place.
  ///
  /// - Returns: whether `bytes` were that record.
  @inline(__always) mutating func deliver(
    _ io: UnsafeMutablePointer<GatherIO>, _ bytes: UnsafePointer<CChar>, _ count: Int
  ) -> Bool {
    let inner = unsafe headCount + bodyCount + 1
    guard let place = unsafe sealedAt, unsafe io == self.io, unsafe io.pointee.end == place,
      unsafe count == DirectSealing.headerCount + inner + DirectSealing.tagCount,
      let output = unsafe io.pointee.output
    else { return false }
    unsafe memcpy(output + place, bytes, DirectSealing.headerCount)
    unsafe memcpy(
      output + place + DirectSealing.headerCount + inner,
      bytes + (DirectSealing.headerCount + inner), DirectSealing.tagCount)
    unsafe io.pointee.end = place + count
    unsafe isDelivered = true
    unsafe sealedAt = nil
    return true
  }

  /// Whether this process can: tried once, on a connection in memory.
  ///
  /// Another libssl may put its records together in another way; then it is simply not done.
  static let works: Bool = unsafe FastCipher.isAvailable && mark != nil && trial()

  private static func trial() -> Bool {
    guard let server = try? TLSContext.trialServer(),
      let client = try? TLSContext.client(TLSClientConfiguration(trust: .anybody, fastCipher: .off))
    else { return false }
    let buffers = TLSBuffers(gatherRecords: 4, keep: 1)
    guard let there = TLSSession(server: server, buffers: buffers),
      let here = TLSSession(client: client, serverName: "", buffers: buffers)
    else { return false }
    var arrived: [UInt8] = []
    func carry() {
      while there.hasPendingOutput || here.hasPendingOutput {
        for (from, to) in [(here, there), (there, here)] {
          let bytes = from.withOutput { [UInt8](copying: $0) }
          from.consumeOutput(bytes.count)
          _ = to.receive(bytes.span) { arrived.append(copying: $0) }
        }
      }
    }
    carry()
    there.sealsDirectly = true
    let page = (0..<16_384).map { UInt8(truncatingIfNeeded: $0 &* 13) }
    for split in [0, 9, 100] {
      guard
        there.write(
          head: page.span.extracting(0..<split), body: page.span.extracting(split..<16_384))
          == .done(bytes: 16_384)
      else { return false }
      carry()
    }
    return arrived == page + page + page
  }
}
