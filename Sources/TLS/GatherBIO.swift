import COpenSSL

/// One session's ends of its BIO, as the C callbacks see them.
///
/// Input is borrowed from the owner for the length of one `receive`; output is gathered in a buffer
/// of the loop's pool, so an idle session has neither.
@unsafe struct GatherIO {
  let pool: UnsafeMutablePointer<TLSBuffers.Storage>
  var input: UnsafePointer<UInt8>?
  var inputCount = 0
  var output: UnsafeMutablePointer<UInt8>?
  /// Bytes of `output` that were sent.
  var start = 0
  /// Bytes of `output` that hold ciphertext.
  var end = 0
  /// libssl had more to say than fits: the peer asks and does not read.
  var overflowed = false

  /// Gives the output buffer back.
  mutating func releaseOutput() {
    if let buffer = unsafe output { unsafe pool.pointee.give(buffer) }
    unsafe output = nil
    unsafe start = 0
    unsafe end = 0
  }
}

/// The BIO method: reads from and writes to a `GatherIO`, never blocks, never throws.
enum GatherBIO {
  /// Made once per process and never freed: BIO types are a process-wide number space.
  nonisolated(unsafe) private static let method: OpaquePointer? = unsafe makeMethod()

  /// A BIO over `io`, which has to outlive it; nil when out of memory.
  static func make(_ io: UnsafeMutablePointer<GatherIO>) -> OpaquePointer? {
    guard let method = unsafe method, let bio = unsafe BIO_new(method) else { return nil }
    unsafe BIO_set_data(bio, io)
    unsafe BIO_set_init(bio, 1)
    return unsafe bio
  }

  private static func makeMethod() -> OpaquePointer? {
    guard let method = unsafe BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wedlive")
    else { return nil }
    unsafe BIO_meth_set_write(method, gatherWrite)
    unsafe BIO_meth_set_read(method, gatherRead)
    unsafe BIO_meth_set_ctrl(method, gatherControl)
    return unsafe method
  }
}

private let allFlags =
  BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_IO_SPECIAL | BIO_FLAGS_SHOULD_RETRY

@inline(__always) private func gatherIO(_ bio: OpaquePointer?) -> UnsafeMutablePointer<GatherIO>? {
  unsafe BIO_get_data(bio)?.assumingMemoryBound(to: GatherIO.self)
}

private func gatherWrite(
  _ bio: OpaquePointer?, _ bytes: UnsafePointer<CChar>?, _ count: Int32
) -> Int32 {
  unsafe BIO_clear_flags(bio, allFlags)
  guard let io = unsafe gatherIO(bio), let bytes = unsafe bytes, count > 0 else { return 0 }
  if unsafe io.pointee.output == nil { unsafe io.pointee.output = io.pointee.pool.pointee.take() }
  if unsafe io.pointee.pool.pointee.direct.sealedAt != nil,
    unsafe io.pointee.pool.pointee.direct.deliver(io, bytes, Int(count))
  {
    return count
  }
  guard let output = unsafe io.pointee.output else { return -1 }
  let end = unsafe io.pointee.end
  guard unsafe end + Int(count) <= io.pointee.pool.pointee.capacity else {
    unsafe io.pointee.overflowed = true
    unsafe BIO_set_flags(bio, BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
    return -1
  }
  unsafe memcpy(output + end, bytes, Int(count))
  unsafe io.pointee.end = end + Int(count)
  return count
}

private func gatherRead(
  _ bio: OpaquePointer?, _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int32
) -> Int32 {
  unsafe BIO_clear_flags(bio, allFlags)
  guard let io = unsafe gatherIO(bio), let bytes = unsafe bytes, count > 0 else { return 0 }
  let taken = unsafe min(io.pointee.inputCount, Int(count))
  guard taken > 0, let input = unsafe io.pointee.input else {
    unsafe BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
    return -1
  }
  unsafe memcpy(bytes, input, taken)
  unsafe io.pointee.input = input + taken
  unsafe io.pointee.inputCount -= taken
  return Int32(taken)
}

private func gatherControl(
  _ bio: OpaquePointer?, _ command: Int32, _ number: Int, _ pointer: UnsafeMutableRawPointer?
) -> Int {
  command == BIO_CTRL_FLUSH ? 1 : 0
}
