import Bytes
import RTMP
import Testing

@Suite struct `RTMP handshake` {
  /// C0 and C1 as a client with or without a digest sends them, then C2 and one byte more.
  static func client(place: Int?, version: UInt8 = 9) -> [UInt8] {
    var c1 = Handshake.filler(Handshake.packetBytes, seed: 3)
    for index in 4..<8 { c1[index] = place == nil ? 0 : version }
    if let place {
      let offset = Handshake.digestOffset(c1, place: place)
      let digest = Handshake.digest(of: c1, at: offset, key: Handshake.playerKey)
      c1.replaceSubrange(offset..<offset + 32, with: digest)
    }
    return [3] + c1 + pattern(Handshake.packetBytes, seed: 5) + [0xaa]
  }

  static func serve(
    _ bytes: [UInt8], cuts: [Int] = []
  ) throws -> (kind: ServerHandshake.Kind?, output: [UInt8], left: Int, isDone: Bool) {
    var handshake = ServerHandshake(seed: 1)
    var output: [UInt8] = []
    var start = 0
    var isDone = false
    var left = 0
    for end in cuts + [bytes.count] {
      let piece = Array(bytes[start..<end])
      start = end
      var cursor = ByteCursor()
      if !isDone { isDone = try handshake.receive(piece.span, &cursor, into: &output) }
      left = cursor.left(piece.span)
    }
    return (handshake.kind, output, left, isDone)
  }

  @Test func `a client without a digest gets its bytes back`() throws {
    let bytes = Self.client(place: nil)
    let served = try Self.serve(bytes)
    #expect(served.kind == .simple)
    #expect(served.isDone && served.left == 1)
    #expect(served.output.count == 1 + 2 * 1536)
    #expect(served.output[0] == 3)
    #expect(served.output[1537...] == bytes[1..<1537])
  }

  @Test(arguments: [772, 8]) func `a digest is answered at the place where it was found`(
    place: Int
  ) throws {
    let bytes = Self.client(place: place)
    let served = try Self.serve(bytes)
    #expect(served.kind == .digest(place: place))
    #expect(served.isDone && served.left == 1)
    let s1 = Array(served.output[1..<1537])
    let found = try #require(Handshake.findDigest(s1, key: Handshake.serverKey))
    #expect(found.place == place)
    let s2 = Array(served.output[1537...])
    let c1 = Array(bytes[1..<1537])
    let mine = try #require(Handshake.findDigest(c1, key: Handshake.playerKey))
    let key = SHA256.hmac(key: Handshake.serverKey + Handshake.keyTail, [mine.digest])
    #expect(Array(s2[1504...]) == SHA256.hmac(key: key, [Array(s2[..<1504])]))
  }

  @Test(arguments: [772, 8]) func `a digest that doesn't fit is answered with the echo`(
    place: Int
  ) throws {
    var bytes = Self.client(place: place)
    bytes[1500] ^= 1
    bytes[300] ^= 1
    let served = try Self.serve(bytes)
    #expect(served.kind == .simple)
    #expect(served.output[1537...] == bytes[1..<1537])
  }

  @Test func `it may come in any pieces`() throws {
    let bytes = Self.client(place: nil)
    let whole = try Self.serve(bytes)
    for cut in 0..<bytes.count {
      let served = try Self.serve(bytes, cuts: [cut])
      guard served.output == whole.output, served.isDone else {
        Issue.record("a cut at \(cut) changed the handshake")
        return
      }
    }
    let digest = Self.client(place: 8)
    let single = try Self.serve(digest, cuts: Array(1..<digest.count))
    #expect(single.output == (try Self.serve(digest)).output)
  }

  @Test(arguments: [0, 2, 4, 6, 22, 71] as [UInt8])
  func `other first bytes are refused at once`(version: UInt8) {
    let error = #expect(throws: ProtocolError.self) { try Self.serve([version]) }
    #expect(error?.code == .version)
  }

  @Test func `the answer waits for the whole of C1`() throws {
    #expect(try Self.serve(Array(Self.client(place: nil)[..<1536])).output.isEmpty)
    #expect(try Self.serve(Array(Self.client(place: nil)[..<1537])).output.count == 3073)
  }

  @Test func `client and server come to an end with each other`() throws {
    var client = ClientHandshake(seed: 8)
    var server = ServerHandshake(seed: 9)
    var up: [UInt8] = []
    var down: [UInt8] = []
    client.start(into: &up)
    var cursor = ByteCursor()
    #expect(try !server.receive(up.span, &cursor, into: &down))
    let first = up
    up = []
    cursor = ByteCursor()
    #expect(try client.receive(down.span, &cursor, into: &up))
    #expect(up == Array(down[1..<1537]))
    #expect(down[1537...] == first[1...])
    cursor = ByteCursor()
    #expect(try server.receive(up.span, &cursor, into: &down))
  }

  @Test func `the filler differs from seed to seed and has the length asked for`() {
    #expect(Handshake.filler(1528, seed: 1) != Handshake.filler(1528, seed: 2))
    #expect((0..<20).allSatisfy { Handshake.filler($0, seed: 1).count == $0 })
  }
}

@Suite struct `SHA-256` {
  static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// FIPS 180-4's examples and the empty message.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func `digests are those of the standard`(text: String, digest: String) {
    let bytes = Array(text.utf8)
    #expect(Self.hex(SHA256.digest(bytes.span)) == digest)
  }

  @Test func `a message in pieces has the digest of the whole`() {
    let bytes = pattern(200)
    let whole = SHA256.digest(bytes.span)
    for cut in 0...200 {
      var hash = SHA256()
      hash.update(bytes.span.extracting(0..<cut))
      hash.update(bytes.span.extracting(cut..<200))
      #expect(hash.finish() == whole)
    }
  }

  /// RFC 4231, cases 1, 2 and 6.
  @Test func `HMACs are those of the standard`() {
    #expect(
      Self.hex(
        SHA256.hmac(key: [UInt8](repeating: 0x0b, count: 20), [Array("Hi There".utf8)]))
        == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
    #expect(
      Self.hex(
        SHA256.hmac(
          key: Array("Jefe".utf8),
          [Array("what do ya want ".utf8), Array("for nothing?".utf8)]))
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    #expect(
      Self.hex(
        SHA256.hmac(
          key: [UInt8](repeating: 0xaa, count: 131),
          [Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)]))
        == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
  }
}
