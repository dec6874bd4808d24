import Foundation

@testable import Cache

/// A folder that goes with the test.
final class TestFolder: Sendable {
  let path = NSTemporaryDirectory() + "wedlive-cache-\(UUID().uuidString)"
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ object: DiskObject) -> String { DiskFiles(folder: path).path(object.key) }

  var files: [String] {
    (try? FileManager.default.subpathsOfDirectory(atPath: path))?.filter { $0.count > 30 } ?? []
  }
}

/// Tests of tiers in a folder of their own.
protocol OnDisk {
  var folder: TestFolder { get }
}

extension OnDisk {
  func tier(_ change: (inout DiskTier.Limits) -> Void = { _ in }) -> DiskTier {
    var limits = DiskTier.Limits()
    change(&limits)
    return DiskTier(folder.path, limits: limits)
  }

  func object(_ name: String, _ body: [UInt8], tags: [String] = []) -> DiskObject {
    DiskObject(
      key: SipHash(k0: 3, k1: 4).hash(Array(name.utf8).span), name: name, tags: tags,
      head: Array("head".utf8), body: body)
  }

  func read(_ tier: DiskTier, _ object: DiskObject) async -> DiskObject? {
    await withCheckedContinuation { continuation in
      let isThere = tier.read(object.key, name: object.name) { continuation.resume(returning: $0) }
      if !isThere { continuation.resume(returning: nil) }
    }
  }

  /// Puts folders that aren't empty in these places, which are files: nothing can be written there.
  func block(_ paths: String...) throws {
    for path in paths {
      try FileManager.default.removeItem(atPath: path)
      try FileManager.default.createDirectory(
        atPath: path + "/x", withIntermediateDirectories: true)
    }
  }
}
