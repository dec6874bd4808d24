import Cache
import Foundation

/// The secret that a disk cache's names are hashed with, kept beside it in `hash.key`.
enum EdgeDiskSecret {
  private static let bytes = 16

  /// Reads it, or makes one; where it can't be kept the folder's objects are of no use to the next
  /// process, and go.
  static func load(_ folder: String) -> SipHash {
    let path = "\(folder)/hash.key"
    let (kept, problem) = DiskFiles.read(path, most: bytes)
    if problem == 0, kept.count == bytes { return hash(kept) }
    var source = SystemRandomNumberGenerator()
    let secret = (0..<bytes).map { _ in UInt8.random(in: 0...255, using: &source) }
    try? FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    _ = DiskFiles.write([secret], to: path)
    return hash(secret)
  }

  private static func hash(_ secret: [UInt8]) -> SipHash {
    func word(_ start: Int) -> UInt64 {
      secret[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    return SipHash(k0: word(0), k1: word(8))
  }
}
