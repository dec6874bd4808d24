import Cache
import Foundation

/// The secret that a disk cache's names are hashed with, kept beside it in `hash.key`.
struct EdgeDiskSecret: Sendable {
  private static let count = 16

  private let folder: String
  private let bytes: [UInt8]

  /// Reads it, or makes one; where it can't be kept the folder's objects are of no use to the next
  /// process, and go.
  init(_ folder: String) {
    self.folder = folder
    let (kept, problem) = DiskFiles.read(Self.path(folder), most: Self.count)
    if problem == 0, kept.count == Self.count {
      bytes = kept
      return
    }
    var source = SystemRandomNumberGenerator()
    bytes = (0..<Self.count).map { _ in UInt8.random(in: 0...255, using: &source) }
    keep()
  }

  private static func path(_ folder: String) -> String { "\(folder)/hash.key" }

  /// Writes it to its folder, which is made where it isn't there.
  func keep() {
    try? FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    _ = DiskFiles.write([bytes], to: Self.path(folder))
  }

  var hash: SipHash {
    func word(_ start: Int) -> UInt64 {
      bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    return SipHash(k0: word(0), k1: word(8))
  }
}
