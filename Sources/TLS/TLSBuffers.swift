import COpenSSL
import Glibc

/// The memory that all sessions of one loop share: one scratch for plaintext, and a pool of output
/// buffers, of which a session holds one only while it has ciphertext to send.
///
/// Confined to its loop. A session keeps its `TLSBuffers` alive.
@safe package final class TLSBuffers {
  /// The largest plaintext of one record.
  package static let recordBytes = 16_384

  /// A full record on the wire: header, content type or explicit nonce, tag, and some air.
  package static let wireRecordBytes = recordBytes + 64

  let storage: UnsafeMutablePointer<Storage>

  /// What the C callbacks reach, without retaining anything.
  @unsafe struct Storage {
    /// Output buffers that nobody holds, linked through their first word.
    var free: UnsafeMutableRawPointer?
    var freeCount = 0
    /// How many of them are kept; the rest goes back to the allocator.
    let keep: Int
    /// Application data is gathered up to here.
    let limit: Int
    /// What libssl says on its own (handshake, alerts, KeyUpdate) may fill it up to here.
    let capacity: Int
    /// Buffers in the hands of sessions.
    var inUse = 0
    /// Decrypted bytes on their way to the owner.
    let plain: UnsafeMutablePointer<UInt8>
    let plainCapacity: Int
    /// Where a record of two pieces is put together.
    let stage: UnsafeMutablePointer<UInt8>
    /// What libssl gets in place of a record that is sealed directly; never written after it is
    /// made.
    let decoy: UnsafeMutablePointer<UInt8>
    /// The record that is being sealed directly; `decoy` leads here.
    var direct = unsafe DirectSealing()
  }

  /// Makes the buffers of one loop.
  ///
  /// - Parameters:
  ///   - gatherRecords: how many full records are sealed before the owner sends; 8 measured best.
  ///   - keep: how many idle output buffers stay allocated.
  package init(gatherRecords: Int = 8, keep: Int = 32) {
    let limit = max(1, gatherRecords) * TLSBuffers.wireRecordBytes
    let plainCapacity = 65_536
    unsafe storage = .allocate(capacity: 1)
    unsafe storage.initialize(
      to: Storage(
        free: nil, keep: keep, limit: limit, capacity: limit + 2 * TLSBuffers.wireRecordBytes,
        plain: .allocate(capacity: plainCapacity), plainCapacity: plainCapacity,
        stage: .allocate(capacity: TLSBuffers.recordBytes),
        decoy: .allocate(capacity: TLSBuffers.recordBytes)))
    let decoy = unsafe UnsafeMutableRawPointer(storage.pointee.decoy)
    unsafe memset(decoy, 0, TLSBuffers.recordBytes)
    if let mark = unsafe DirectSealing.mark {
      unsafe decoy.storeBytes(of: mark.pointee, as: DirectSealing.Mark.self)
    }
    unsafe decoy.storeBytes(
      of: storage.pointer(to: \.direct), toByteOffset: 16,
      as: UnsafeMutablePointer<DirectSealing>?.self)
  }

  /// Output buffers that sessions hold now, for a metric of memory held by slow readers.
  package var outputBuffersInUse: Int { unsafe storage.pointee.inUse }

  /// Bytes of one output buffer.
  package var outputBufferBytes: Int { unsafe storage.pointee.capacity }

  deinit {
    while let buffer = unsafe storage.pointee.free {
      unsafe storage.pointee.free = buffer.load(as: UnsafeMutableRawPointer?.self)
      unsafe free(buffer)
    }
    unsafe storage.pointee.plain.deallocate()
    unsafe storage.pointee.stage.deallocate()
    unsafe storage.pointee.decoy.deallocate()
    unsafe storage.deinitialize(count: 1)
    unsafe storage.deallocate()
  }
}

extension TLSBuffers.Storage {
  /// An output buffer of `capacity` bytes, or nil when out of memory.
  mutating func take() -> UnsafeMutablePointer<UInt8>? {
    if let buffer = unsafe free {
      unsafe free = buffer.load(as: UnsafeMutableRawPointer?.self)
      unsafe freeCount -= 1
      unsafe inUse += 1
      return unsafe buffer.assumingMemoryBound(to: UInt8.self)
    }
    guard let buffer = unsafe malloc(capacity) else { return nil }
    unsafe inUse += 1
    return unsafe buffer.assumingMemoryBound(to: UInt8.self)
  }

  mutating func give(_ buffer: UnsafeMutablePointer<UInt8>) {
    unsafe inUse -= 1
    guard unsafe freeCount < keep else { return unsafe Glibc.free(buffer) }
    unsafe UnsafeMutableRawPointer(buffer).storeBytes(of: free, as: UnsafeMutableRawPointer?.self)
    unsafe free = UnsafeMutableRawPointer(buffer)
    unsafe freeCount += 1
  }
}
