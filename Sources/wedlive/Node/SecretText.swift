import Foundation

/// A secret of somebody else's: given, or in a file of the operator's.
enum SecretText {
  /// Finds one that must be there.
  ///
  /// - Throws: `StartFailure` naming the key.
  static func needed(
    _ given: String?, _ file: String?, key: String
  ) throws(StartFailure) -> String {
    guard let secret = try optional(given, file, key: key) else {
      throw StartFailure("\(key): must be given, or \(key)_file")
    }
    return secret
  }

  /// Finds one that need not be there.
  ///
  /// - Throws: `StartFailure` naming the key.
  static func optional(
    _ given: String?, _ file: String?, key: String
  ) throws(StartFailure) -> String? {
    if let given { return given }
    guard let file else { return nil }
    if let problem = ReadableFile.problem(file) {
      throw StartFailure("\(key)_file: \(file): \(problem)")
    }
    guard let data = try? Data(contentsOf: URL(filePath: file)) else {
      throw StartFailure("\(key)_file: \(file): can't be read")
    }
    let secret = String(decoding: data, as: UTF8.self).trimmingSpaces()
    guard !secret.isEmpty else { throw StartFailure("\(key)_file: \(file): is empty") }
    return secret
  }
}
