import COpenSSL
import Glibc

extension GCMContext {
  /// Takes a record's 13 bytes of additional data, whose length field counts more than the data.
  ///
  /// - Returns: how much longer the record gets by its tag, or nil where the bytes make no sense.
  mutating func setTLS12AAD(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int? {
    guard count == TLS12.aadCount else { return nil }
    var length = unsafe Int(bytes[11]) << 8 | Int(bytes[12])
    let extra = unsafe TLS12.explicitIVCount + (encrypts ? 0 : TLS12.tagCount)
    guard length >= extra else { return nil }
    length -= extra
    unsafe aadCount = 0
    guard unsafe append(aad: bytes, 11) else { return nil }
    unsafe aad[11] = UInt8(length >> 8)
    unsafe aad[12] = UInt8(length & 0xff)
    unsafe aadCount = TLS12.aadCount
    unsafe isTLS12Record = true
    return TLS12.tagCount
  }

  /// Sets the part of the IV that the handshake fixed, or (`count` < 0) the whole of it.
  ///
  /// The rest starts at random when sealing, and counts up with each record.
  mutating func setFixedIV(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    if count < 0 || count == 12 {
      unsafe memcpy(iv, bytes, 12)
    } else {
      guard count >= TLS12.fixedIVCount, 12 - count >= TLS12.explicitIVCount else {
        return false
      }
      unsafe memcpy(iv, bytes, count)
      if unsafe encrypts, unsafe RAND_bytes(iv + count, Int32(12 - count)) != 1 { return false }
    }
    unsafe ivCounts = true
    unsafe ivState = .buffered
    return true
  }

  /// Writes the last `count` bytes of the IV, which is then in use, and counts it up for the next.
  mutating func takeIV(_ out: UnsafeMutablePointer<UInt8>, _ count: Int) -> Bool {
    guard unsafe ivCounts, unsafe hasKey, (1...12).contains(count) else { return false }
    unsafe memcpy(out, iv + (12 - count), count)
    // Whoever asks has this IV from now on: begin with it before it moves on.
    unsafe functions.pointee.begin(expanded, state, iv, aad, UInt64(aadCount))
    unsafe hasBegun = true
    var index = 11
    while index >= 4 {
      unsafe iv[index] &+= 1
      if unsafe iv[index] != 0 { break }
      index -= 1
    }
    unsafe ivState = .buffered
    return true
  }

  /// Sets the last `count` bytes of the IV of a record to be opened.
  mutating func setInvocationIV(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    guard unsafe ivCounts, unsafe hasKey, unsafe !encrypts, (1...12).contains(count) else {
      return false
    }
    unsafe memcpy(iv + (12 - count), bytes, count)
    unsafe ivState = .buffered
    return true
  }

  /// Seals or opens one TLS 1.2 record in place: explicit IV, data, tag.
  ///
  /// - Returns: bytes of the whole record when sealing, of its data when opening; nil where it does
  ///   not authenticate, and its data is then wiped.
  mutating func record(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int? {
    defer {
      unsafe isTLS12Record = false
      unsafe aadCount = 0
      unsafe hasBegun = false
      unsafe ivState = .finished
    }
    let around = TLS12.explicitIVCount + TLS12.tagCount
    guard unsafe hasKey, count >= around else { return nil }
    let data = unsafe bytes + TLS12.explicitIVCount
    let dataCount = count - around
    if unsafe encrypts {
      unsafe records &+= 1
      guard unsafe records != 0, unsafe takeIV(bytes, TLS12.explicitIVCount) else { return nil }
      unsafe functions.pointee.seal(expanded, state, data, data, UInt64(dataCount))
      unsafe functions.pointee.finish_seal(expanded, state, data + dataCount, 16)
      return count
    }
    guard unsafe setInvocationIV(bytes, TLS12.explicitIVCount) else { return nil }
    unsafe functions.pointee.begin(expanded, state, iv, aad, UInt64(aadCount))
    unsafe functions.pointee.open(expanded, state, data, data, UInt64(dataCount))
    unsafe functions.pointee.finish_open(expanded, state, tag, 16)
    guard unsafe CRYPTO_memcmp(tag, data + dataCount, 16) == 0 else {
      unsafe OPENSSL_cleanse(data, dataCount)
      return nil
    }
    return dataCount
  }
}
