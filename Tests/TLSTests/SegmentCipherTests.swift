import Foundation
import Testing

@testable import TLS

@Suite struct `Segment cipher` {
  private func bytes(_ hex: String) -> [UInt8] {
    stride(from: 0, to: hex.utf8.count, by: 2).map { index in
      let start = hex.index(hex.startIndex, offsetBy: index)
      return UInt8(hex[start..<hex.index(start, offsetBy: 2)], radix: 16) ?? 0
    }
  }

  /// NIST SP 800-38A, F.2.1, with each block's chaining value as the vector of a message of one.
  @Test func `blocks are those of the standard`() throws {
    let key = bytes("2b7e151628aed2a6abf7158809cf4f3c")
    // The vector is a number of 64 bits here: the plain text takes the rest of the chaining value.
    let chain = bytes("000102030405060708090a0b0c0d0e0f")
    var plain = bytes("6bc1bee22e409f96e93d7e117393172a")
    for index in 0..<8 { plain[index] ^= chain[index] }
    let sealed = try SegmentCipher.encrypt(plain, key: key, sequence: 0x0809_0A0B_0C0D_0E0F)
    #expect(Array(sealed.prefix(16)) == bytes("7649abac8119b246cee98e9b12e9197d"))
    #expect(sealed.count == 32)
  }

  @Test(arguments: [0, 1, 15, 16, 17, 188, 188 * 1_000])
  func `the command line of OpenSSL decrypts it`(count: Int) throws {
    let key = (0..<16).map { _ in UInt8.random(in: 0...255) }
    let plain = (0..<count).map { _ in UInt8.random(in: 0...255) }
    let sequence = Int.random(in: 0...Int.max)
    let sealed = try SegmentCipher.encrypt(plain, key: key, sequence: sequence)
    #expect(sealed.count == count + 16 - count % 16)
    let opened = try openSSL(
      sealed, key: key, iv: SegmentCipher.vector(of: sequence))
    #expect(opened == plain)
  }

  @Test func `a vector is the number, the most significant byte first`() {
    #expect(SegmentCipher.vector(of: 0x0102) == [UInt8](repeating: 0, count: 14) + [1, 2])
    #expect(SegmentCipher.vector(of: .max) == bytes("00000000000000007fffffffffffffff"))
  }

  private func openSSL(_ sealed: [UInt8], key: [UInt8], iv: [UInt8]) throws -> [UInt8] {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let input = folder.appending(path: "sealed")
    let output = folder.appending(path: "plain")
    try Data(sealed).write(to: input)
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/openssl")
    let hex = { (bytes: [UInt8]) in bytes.map { String(format: "%02x", $0) }.joined() }
    process.arguments = [
      "enc", "-d", "-aes-128-cbc", "-K", hex(key), "-iv", hex(iv), "-in", input.path, "-out",
      output.path,
    ]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return Array(try Data(contentsOf: output))
  }
}
