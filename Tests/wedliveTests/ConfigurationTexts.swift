import Foundation

@testable import wedlive

/// What suites of configurations share: files that are there for as long as they are read.
protocol ConfigurationTexts {}

extension ConfigurationTexts {
  /// Writes a file for the length of `body`.
  func withFile<Value>(_ text: String, _ body: (String) throws -> Value) throws -> Value {
    let path = NSTemporaryDirectory() + "wedlive-\(UUID().uuidString).yaml"
    try Data(text.utf8).write(to: URL(filePath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
  }

  func withFile<Value>(_ text: String, _ body: (String) async throws -> Value) async throws -> Value
  {
    let path = NSTemporaryDirectory() + "wedlive-\(UUID().uuidString).yaml"
    try Data(text.utf8).write(to: URL(filePath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
  }

  /// The faults of a file, without the file's name.
  func faults(
    _ text: String, environment: [String: String] = [:], flags: [ConfigurationLoader.Flag] = []
  ) throws -> [String] {
    try withFile(text) { path in
      ConfigurationLoader(file: path, environment: environment, flags: flags).check().1.map {
        "\($0)".replacing(path, with: "f")
      }
    }
  }

  func load(
    _ text: String?, environment: [String: String] = [:], flags: [ConfigurationLoader.Flag] = []
  ) throws -> NodeConfiguration {
    guard let text else {
      return try ConfigurationLoader(file: nil, environment: environment, flags: flags).load()
    }
    return try withFile(text) {
      try ConfigurationLoader(file: $0, environment: environment, flags: flags).load()
    }
  }
}
