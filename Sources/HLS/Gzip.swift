internal import CZlib

/// Compresses texts for `Content-Encoding: gzip`.
package enum Gzip {
  /// Longer texts are compressed fast: playlists of hours are made anew with each segment, on a
  /// loop, and 400 KB take 9 ms at zlib's best and 1.8 ms at its fastest, for an eighth more bytes.
  private static let longText = 32 << 10

  /// The gzip form of bytes, the same for the same bytes (no time in its header).
  ///
  /// - Returns: nil if zlib can't get memory.
  package static func compress(_ bytes: borrowing Span<UInt8>) -> [UInt8]? {
    var stream = unsafe z_stream()
    // 15 bits of window, + 16 for a gzip header; the macro `deflateInit2` isn't imported.
    let began = unsafe deflateInit2_(
      &stream, bytes.count > longText ? Z_BEST_SPEED : Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8,
      Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    guard began == Z_OK else { return nil }
    defer { unsafe deflateEnd(&stream) }
    let bound = unsafe Int(deflateBound(&stream, UInt(bytes.count)))
    var ended = Z_STREAM_ERROR
    let output = unsafe [UInt8](unsafeUninitializedCapacity: bound) { output, count in
      unsafe bytes.withUnsafeBufferPointer { input in
        // zlib never writes through `next_in`; it lacks a const for old compilers.
        unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        unsafe stream.avail_in = UInt32(input.count)
        unsafe stream.next_out = output.baseAddress
        unsafe stream.avail_out = UInt32(output.count)
        ended = unsafe deflate(&stream, Z_FINISH)
      }
      count = unsafe output.count - Int(stream.avail_out)
    }
    return ended == Z_STREAM_END ? output : nil
  }
}
