import COpenSSL

/// Seals one message with both implementations: a library that is not what its header promises is
/// found before a viewer finds it.
enum CipherComparison {
  static func agrees(_ library: OpaquePointer) -> Bool {
    for (name, keyCount) in [("AES-128-GCM", 16), ("AES-256-GCM", 32)] {
      let key = (0..<keyCount).map { UInt8($0 &* 7 &+ 1) }
      let message = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      guard let ours = unsafe seal(library, "provider=wedlive", name, key, message),
        let theirs = unsafe seal(library, "provider=default", name, key, message), ours == theirs
      else { return false }
    }
    return true
  }

  /// Ciphertext and tag under a fixed IV and additional data, or nil where a call fails.
  private static func seal(
    _ library: OpaquePointer, _ properties: String, _ name: String, _ key: [UInt8],
    _ message: [UInt8]
  ) -> [UInt8]? {
    guard let cipher = unsafe EVP_CIPHER_fetch(library, name, properties) else { return nil }
    defer { unsafe EVP_CIPHER_free(cipher) }
    guard let context = unsafe EVP_CIPHER_CTX_new() else { return nil }
    defer { unsafe EVP_CIPHER_CTX_free(context) }
    let iv = [UInt8](repeating: 9, count: 12)
    var out = [UInt8](repeating: 0, count: message.count + 16)
    var tag = [UInt8](repeating: 0, count: 16)
    var count: Int32 = 0
    guard unsafe EVP_EncryptInit_ex2(context, cipher, key, iv, nil) == 1,
      unsafe EVP_EncryptUpdate(context, nil, &count, iv, 5) == 1,
      unsafe EVP_EncryptUpdate(context, &out, &count, message, Int32(message.count)) == 1,
      unsafe EVP_EncryptFinal_ex(context, &out, &count) == 1,
      unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, &tag) == 1
    else { return nil }
    return out[..<message.count] + tag
  }
}
