import COpenSSL

/// AES-128 in CBC mode with the padding of PKCS #7: how HLS encrypts a whole segment.
///
/// Source: RFC 8216, 4.3.2.4 and 5.2.
package enum SegmentCipher {
  /// Of a key, and of an initialization vector.
  package static let blockBytes = 16

  /// Fetched once: fetching by name costs more than a short segment.
  ///
  /// Made once, never written after, and OpenSSL counts its users itself.
  nonisolated(unsafe) private static let cipher = unsafe EVP_CIPHER_fetch(nil, "AES-128-CBC", nil)

  /// Encrypts a segment; about a millisecond for each MiB.
  ///
  /// - Parameters:
  ///   - plain: all of it.
  ///   - key: 16 bytes.
  ///   - sequence: its media sequence number, which is the initialization vector where a playlist
  ///     names none.
  /// - Returns: one to 16 bytes more than `plain`.
  /// - Throws: `.library` where OpenSSL has no memory left.
  package static func encrypt(
    _ plain: [UInt8], key: [UInt8], sequence: Int
  ) throws(TLSError) -> [UInt8] {
    precondition(key.count == blockBytes, "an AES-128 key has 16 bytes")
    var isWhole = false
    let iv = vector(of: sequence)
    let sealed = unsafe [UInt8](unsafeUninitializedCapacity: plain.count + blockBytes) {
      output, count in
      guard let cipher = unsafe cipher, let context = unsafe EVP_CIPHER_CTX_new() else { return }
      defer { unsafe EVP_CIPHER_CTX_free(context) }
      guard unsafe EVP_EncryptInit_ex2(context, cipher, key, iv, nil) == 1 else { return }
      // OpenSSL counts in 32 bits; segments are bounded far below.
      var written: Int32 = 0
      guard let input = Int32(exactly: plain.count),
        unsafe EVP_EncryptUpdate(context, output.baseAddress, &written, plain, input) == 1
      else { return }
      count = Int(written)
      guard
        unsafe EVP_EncryptFinal_ex(
          context, output.baseAddress.map { unsafe $0 + count }, &written) == 1
      else { return }
      count += Int(written)
      isWhole = true
    }
    guard isWhole else { throw TLSError.openSSL(.library, "encrypting a segment") }
    return sealed
  }

  /// The number as 128 bits, the most significant byte first.
  static func vector(of sequence: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: blockBytes)
    var left = UInt64(max(0, sequence))
    for index in stride(from: blockBytes - 1, through: blockBytes - 8, by: -1) {
      bytes[index] = UInt8(truncatingIfNeeded: left)
      left >>= 8
    }
    return bytes
  }
}
