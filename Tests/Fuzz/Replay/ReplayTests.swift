import Foundation
import FuzzTargets
import Testing

/// The corpus and all past findings, through the functions that the fuzzer calls.
@Suite struct `Fuzz targets` {
  @Test(arguments: FuzzTarget.allCases)
  func `every input of the corpus and every past finding is harmless`(
    _ target: FuzzTarget
  ) async throws {
    try await FuzzTarget.prepare()
    let inputs = try Input.all(of: target)
    #expect(!inputs.isEmpty, "\(target.rawValue) has no corpus")
    for input in inputs {
      #expect(throws: Never.self, "\(input.name)") { try target.run(input.bytes) }
    }
  }

  @Test(arguments: FuzzTarget.allCases)
  func `an input cut off anywhere, or empty, is harmless`(_ target: FuzzTarget) async throws {
    try await FuzzTarget.prepare()
    #expect(throws: Never.self) { try target.run([]) }
    for input in try Input.all(of: target) {
      let step = max(1, input.bytes.count / 24)
      for count in stride(from: 0, to: input.bytes.count, by: step) {
        let head = Array(input.bytes.prefix(count))
        #expect(throws: Never.self, "\(input.name), \(count) bytes") { try target.run(head) }
      }
    }
  }
}

/// One file of a target's folders.
private struct Input {
  let name: String
  let bytes: [UInt8]

  static func all(of target: FuzzTarget) throws -> [Input] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return try ["corpus", "regressions"].flatMap { kind -> [Input] in
      let place = folder.appending(path: "\(kind)/\(target.rawValue)")
      guard FileManager.default.fileExists(atPath: place.path) else { return [] }
      return try FileManager.default.contentsOfDirectory(
        at: place, includingPropertiesForKeys: nil
      ).sorted { $0.path < $1.path }.map {
        Input(name: "\(kind)/\($0.lastPathComponent)", bytes: [UInt8](try Data(contentsOf: $0)))
      }
    }
  }
}
