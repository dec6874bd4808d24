import COpenSSL
@testable import TLS

/// AES-GCM through EVP, from the provider that `properties` names.
@safe final class Cipher {
  let context: OpaquePointer
  let key: [UInt8]

  init?(_ properties: String, key: [UInt8]) {
    let name = key.count == 16 ? "AES-128-GCM" : "AES-256-GCM"
    guard let library = try? unsafe FastCipher.library(.on),
      let cipher = unsafe EVP_CIPHER_fetch(library, name, properties)
    else { return nil }
    defer { unsafe EVP_CIPHER_free(cipher) }
    guard let context = unsafe EVP_CIPHER_CTX_new(),
      unsafe EVP_CipherInit_ex2(context, cipher, nil, nil, 1, nil) == 1
    else { return nil }
    unsafe self.context = context
    self.key = key
  }

  private init(_ context: OpaquePointer, key: [UInt8]) {
    unsafe self.context = context
    self.key = key
  }

  deinit { unsafe EVP_CIPHER_CTX_free(context) }

  /// A context that goes on from where this one stands.
  func copy() -> Cipher? {
    guard let new = unsafe EVP_CIPHER_CTX_new() else { return nil }
    guard unsafe EVP_CIPHER_CTX_copy(new, context) == 1 else {
      unsafe EVP_CIPHER_CTX_free(new)
      return nil
    }
    return unsafe Cipher(new, key: key)
  }

  func begin(_ encrypts: Bool, iv: [UInt8]?, setKey: Bool = true) -> Bool {
    unsafe EVP_CipherInit_ex2(context, nil, setKey ? key : nil, iv, encrypts ? 1 : 0, nil) == 1
  }

  func add(_ aad: ArraySlice<UInt8>) -> Bool {
    let aad = Array(aad)
    var count: Int32 = 0
    return unsafe EVP_CipherUpdate(context, nil, &count, aad, Int32(aad.count)) == 1
  }

  /// Works in place on a part of `data`.
  func update(_ data: inout [UInt8], _ range: Range<Int>) -> Bool {
    var count: Int32 = 0
    return unsafe data.withUnsafeMutableBufferPointer { data in
      guard !range.isEmpty, let at = unsafe data.baseAddress.map({ unsafe $0 + range.lowerBound })
      else { return true }
      return unsafe EVP_CipherUpdate(context, at, &count, at, Int32(range.count)) == 1
        && Int(count) == range.count
    }
  }

  func finish() -> Bool {
    var nothing = [UInt8](repeating: 0, count: 16)
    var count: Int32 = 0
    return unsafe EVP_CipherFinal_ex(context, &nothing, &count) == 1
  }

  func tag(_ count: Int = 16) -> [UInt8]? {
    var tag = [UInt8](repeating: 0, count: count)
    let fine = unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(count), &tag)
    return fine == 1 ? tag : nil
  }

  func expect(tag: [UInt8]) -> Bool {
    var tag = tag
    return unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tag.count), &tag) == 1
  }

  /// Seals with additional data and data each cut in pieces; nil where a call fails.
  func seal(iv: [UInt8], aad: [UInt8], _ plain: [UInt8], cuts: [Int] = []) -> [UInt8]? {
    var data = plain
    guard begin(true, iv: iv), run(aad, &data, cuts), finish(), let tag = tag() else { return nil }
    return data + tag
  }

  func open(iv: [UInt8], aad: [UInt8], _ sealed: [UInt8], cuts: [Int] = []) -> [UInt8]? {
    guard sealed.count >= 16 else { return nil }
    var data = Array(sealed.dropLast(16))
    guard begin(false, iv: iv), expect(tag: Array(sealed.suffix(16))), run(aad, &data, cuts),
      finish()
    else { return nil }
    return data
  }

  private func run(_ aad: [UInt8], _ data: inout [UInt8], _ cuts: [Int]) -> Bool {
    let half = aad.count / 2
    for part in [aad[..<half], aad[half...]] where !part.isEmpty {
      guard add(part) else { return false }
    }
    var at = 0
    for cut in cuts.map({ min($0, data.count) }).sorted() + [data.count] {
      guard update(&data, at..<cut) else { return false }
      at = cut
    }
    return true
  }
}

extension [UInt8] {
  /// Bytes written in hexadecimal.
  init(hex: String) {
    let digits = hex.compactMap(\.hexDigitValue).map(UInt8.init)
    self = stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  static func random(_ count: Int, _ numbers: inout some RandomNumberGenerator) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &numbers) }
  }
}

/// Numbers that come the same in every run.
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
