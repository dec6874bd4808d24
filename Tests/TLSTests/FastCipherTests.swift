import COpenSSL
import Testing

@testable import TLS

/// What is asked of the cipher holds for both implementations; the fast one where it can run.
private let providers = FastCipher.isAvailable ? ["provider=wedlive", "provider=default"] : []

/// Test cases of McGrew and Viega's "The Galois/Counter Mode of Operation", as NIST took them over.
private struct Vector: Sendable, CustomStringConvertible {
  let description: String
  let key, iv, aad, plain, sealed: [UInt8]

  init(_ number: Int, key: String, iv: String, aad: String = "", plain: String, sealed: String) {
    description = "test case \(number)"
    (self.key, self.iv) = (.init(hex: key), .init(hex: iv))
    (self.aad, self.plain, self.sealed) = (.init(hex: aad), .init(hex: plain), .init(hex: sealed))
  }

  static let zeros = "00000000000000000000000000000000"
  static let long = """
    d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525
    b16aedf5aa0de657ba637b391aafd255
    """
  static let header = "feedfacedeadbeeffeedfacedeadbeefabaddad2"
  static let key = "feffe9928665731c6d6a8f9467308308"
  static let all = [
    Vector(
      1, key: zeros, iv: "000000000000000000000000", plain: "",
      sealed: "58e2fccefa7e3061367f1d57a4e7455a"),
    Vector(
      2, key: zeros, iv: "000000000000000000000000", plain: zeros,
      sealed: "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"),
    Vector(
      3, key: key, iv: "cafebabefacedbaddecaf888", plain: long,
      sealed: """
        42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05
        1ba30b396a0aac973d58e091473f59854d5c2af327cd64a62cf35abd2ba6fab4
        """),
    Vector(
      4, key: key, iv: "cafebabefacedbaddecaf888", aad: header, plain: String(long.dropLast(8)),
      sealed: """
        42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05
        1ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47
        """),
    Vector(
      13, key: zeros + zeros, iv: "000000000000000000000000", plain: "",
      sealed: "530f8afbc74536b9a963b4f1c4cb738b"),
    Vector(
      14, key: zeros + zeros, iv: "000000000000000000000000", plain: zeros,
      sealed: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"),
    Vector(
      15, key: key + key, iv: "cafebabefacedbaddecaf888", plain: long,
      sealed: """
        522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838
        c5f61e6393ba7a0abcc9f662898015adb094dac5d93471bdec1a502270e3cc6c
        """),
    Vector(
      16, key: key + key, iv: "cafebabefacedbaddecaf888", aad: header,
      plain: String(long.dropLast(8)),
      sealed: """
        522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838
        c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b
        """),
  ]
}

@Suite struct `Fast cipher` {
  @Test func `the mode decides what happens where it cannot be`() throws {
    #expect(try !TLSContext.client(TLSClientConfiguration(fastCipher: .off)).usesFastCipher)
    #expect(FastCipher.status(.off) == "off")
    if FastCipher.isAvailable {
      #expect(try TLSContext.client(TLSClientConfiguration(fastCipher: .auto)).usesFastCipher)
      #expect(FastCipher.status(.auto).hasPrefix("libipsec-mb "))
    } else {
      #expect(try !TLSContext.client(TLSClientConfiguration(fastCipher: .auto)).usesFastCipher)
      #expect(FastCipher.status(.auto).hasPrefix("off: "))
      #expect(throws: TLSError.self) {
        try TLSContext.client(TLSClientConfiguration(fastCipher: .on))
      }
    }
  }

  @Test(arguments: providers)
  func `published vectors come out`(properties: String) throws {
    for vector in Vector.all {
      let cipher = try #require(Cipher(properties, key: vector.key))
      let sealed = cipher.seal(iv: vector.iv, aad: vector.aad, vector.plain)
      #expect(sealed == vector.sealed, "\(vector)")
      #expect(
        cipher.open(iv: vector.iv, aad: vector.aad, vector.sealed) == vector.plain, "\(vector)")
    }
  }

  @Test(.enabled(if: FastCipher.isAvailable), arguments: [16, 32])
  func `random messages in random pieces are the same as OpenSSL's`(keyCount: Int) throws {
    var numbers = Seeded(state: UInt64(keyCount))
    for round in 0..<3_000 {
      let key = [UInt8].random(keyCount, &numbers)
      let iv = [UInt8].random(12, &numbers)
      let aad = [UInt8].random(
        Int.random(in: 0...(round % 10 == 0 ? 300 : 20), using: &numbers), &numbers)
      let size = round % 50 == 0 ? 16_640 : 600
      let plain = [UInt8].random(Int.random(in: 0...size, using: &numbers), &numbers)
      let cuts = (0..<Int.random(in: 0...4, using: &numbers)).map { _ in
        Int.random(in: 0...size, using: &numbers)
      }
      let ours = try #require(Cipher("provider=wedlive", key: key))
      let theirs = try #require(Cipher("provider=default", key: key))
      let sealed = try #require(ours.seal(iv: iv, aad: aad, plain, cuts: cuts))
      try #require(sealed == theirs.seal(iv: iv, aad: aad, plain))
      try #require(ours.open(iv: iv, aad: aad, sealed, cuts: cuts) == plain)
      var damaged = sealed
      damaged[Int.random(in: 0..<damaged.count, using: &numbers)] ^= 1 << (round % 8)
      try #require(ours.open(iv: iv, aad: aad, damaged, cuts: cuts) == nil)
      try #require(aad.isEmpty || ours.open(iv: iv, aad: aad.map { ~$0 }, sealed) == nil)
    }
  }

  @Test(arguments: providers)
  func `calls out of order fail`(properties: String) throws {
    let cipher = try #require(Cipher(properties, key: [UInt8](repeating: 3, count: 16)))
    let iv = [UInt8](repeating: 4, count: 12)
    var data = [UInt8](repeating: 5, count: 40)
    #expect(!cipher.update(&data, 0..<40), "no key")
    #expect(cipher.tag() == nil, "no tag before the end")
    #expect(cipher.begin(true, iv: iv))
    #expect(cipher.update(&data, 0..<20) && cipher.update(&data, 20..<40))
    #expect(cipher.finish())
    #expect(cipher.tag() != nil && cipher.tag(12) != nil)
    #expect(!cipher.update(&data, 0..<20), "an IV is used once")
    #expect(cipher.begin(false, iv: iv, setKey: false) && cipher.update(&data, 0..<40))
    ERR_clear_error()
  }

  @Test(arguments: providers)
  func `sealing without an IV makes a random one`(properties: String) throws {
    let cipher = try #require(Cipher(properties, key: [UInt8](repeating: 3, count: 32)))
    var data = [UInt8](repeating: 0, count: 64)
    #expect(cipher.begin(true, iv: nil) && cipher.update(&data, 0..<64) && cipher.finish())
    var iv = [UInt8](repeating: 0, count: 12)
    #expect(unsafe EVP_CIPHER_CTX_get_updated_iv(cipher.context, &iv, 12) == 1)
    let tag = try #require(cipher.tag())
    let plain = Cipher("provider=default", key: cipher.key)?.open(iv: iv, aad: [], data + tag)
    #expect(plain == [UInt8](repeating: 0, count: 64))
  }

  @Test(arguments: providers)
  func `a copied context goes its own way`(properties: String) throws {
    let iv = [UInt8](repeating: 1, count: 12)
    let key = [UInt8](repeating: 2, count: 16)
    for aadCount in [0, 5, 200] {
      let aad = [UInt8](repeating: 7, count: aadCount)
      var first = [UInt8](repeating: 8, count: 100)
      var cipher = Cipher(properties, key: key)
      #expect(cipher?.begin(true, iv: iv) == true)
      if !aad.isEmpty { #expect(cipher?.add(aad[...]) == true) }
      let early = try #require(cipher?.copy())
      #expect(cipher?.update(&first, 0..<33) == true)
      let late = try #require(cipher?.copy())
      cipher = nil
      var second = first
      #expect(late.update(&second, 33..<100) && late.finish())
      let tag = try #require(late.tag())
      var third = [UInt8](repeating: 8, count: 100)
      #expect(early.update(&third, 0..<100) && early.finish())
      #expect(third == second && early.tag() == tag)
    }
  }

  @Test(.enabled(if: FastCipher.isAvailable))
  func `threads do not disturb each other`() async throws {
    await withTaskGroup(of: Bool.self) { group in
      for seed in 0..<8 {
        group.addTask {
          var numbers = Seeded(state: UInt64(seed))
          let key = [UInt8].random(16, &numbers)
          guard let ours = Cipher("provider=wedlive", key: key),
            let theirs = Cipher("provider=default", key: key)
          else { return false }
          for _ in 0..<200 {
            let plain = [UInt8].random(700, &numbers)
            let iv = [UInt8].random(12, &numbers)
            guard let sealed = ours.seal(iv: iv, aad: iv, plain, cuts: [7, 300]),
              sealed == theirs.seal(iv: iv, aad: iv, plain)
            else { return false }
          }
          return true
        }
      }
      for await fine in group { #expect(fine) }
    }
  }
}
