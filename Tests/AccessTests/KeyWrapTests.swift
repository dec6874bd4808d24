import Access
import Testing

@Suite struct `Key wrap` {
  private let wrap = KeyWrap(secret: Array("a secret of thirty-two characters".utf8))
  private let key = (0..<16).map { UInt8($0) }

  @Test func `what was sealed can be opened, and looks different each time`() throws {
    let sealed = try wrap.seal(key, for: "w/main/k1")
    #expect(sealed.count == 16 + 28)
    #expect(try wrap.open(sealed, for: "w/main/k1") == key)
    #expect(try wrap.seal(key, for: "w/main/k1") != sealed)
    #expect(KeyWrap(secret: Array("a secret of thirty-two characters".utf8)).opens(sealed))
  }

  @Test func `another secret, another purpose or a changed byte opens nothing`() throws {
    let sealed = try wrap.seal(key, for: "w/main/k1")
    #expect(!KeyWrap(secret: Array("another secret of the same length".utf8)).opens(sealed))
    #expect(throws: KeyWrap.Failure.self) { try wrap.open(sealed, for: "w/main/k2") }
    for index in sealed.indices {
      var changed = sealed
      changed[index] ^= 1
      #expect(!wrap.opens(changed))
    }
    for count in 0..<28 { #expect(!wrap.opens(Array(sealed.prefix(count)))) }
  }
}

extension KeyWrap {
  fileprivate func opens(_ sealed: [UInt8]) -> Bool {
    (try? open(sealed, for: "w/main/k1")) != nil
  }
}
