import Foundation

/// A folder that goes with the object, and files in it.
package final class TemporaryFolder {
  package let path = NSTemporaryDirectory() + "wedlive-\(UUID().uuidString)"

  package init() {
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file, and says where.
  package func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    return path + "/" + name
  }
}
