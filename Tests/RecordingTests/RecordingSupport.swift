import Foundation
import Media
import Testing

@testable import Recording

/// A folder that is removed with the last reference to it.
final class Folder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "wedlive-recording-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// The names of all files of a folder in it, in order.
  func names(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: file(folder))) ?? []).sorted()
  }

  /// What all parts in its folders take.
  var flvBytes: Int {
    names("").flatMap { folder in names(folder).map { "\(folder)/\($0)" } }
      .filter { $0.hasSuffix(".flv") }.reduce(0) { $0 + ((try? bytes($1).count) ?? 0) }
  }

  func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: file(name))))
  }

  func write(_ bytes: [UInt8], _ name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
  }
}

/// All whole tags of a file.
func tags(_ bytes: [UInt8]) throws -> [FLVTag] {
  var reader = FLVReader()
  reader.append(bytes.span)
  var tags: [FLVTag] = []
  while let tag = try reader.next() { tags.append(tag) }
  return tags
}

/// A stream of one picture and one sound every 40 ms, as an encoder sends it.
struct TestMessages {
  var time: UInt32 = 0
  var picture = 0
  var keyframeEvery = 25
  var pictureBytes = 100

  static let videoHeader: [UInt8] = [0x17, 0, 0, 0, 0, 1, 2, 3]
  static let audioHeader: [UInt8] = [0xAF, 0, 0x11, 0x90]
  static let metadata: [UInt8] = [0x02, 0x00, 0x0A] + Array("onMetaData".utf8)

  static let headers = [
    RecordedMessage(.metadata, timestamp: 0, payload: metadata),
    RecordedMessage(.videoHeader, timestamp: 0, payload: videoHeader),
    RecordedMessage(.audioHeader, timestamp: 0, payload: audioHeader),
  ]

  mutating func next(_ count: Int) -> [RecordedMessage] {
    (0..<count).flatMap { _ in
      let isKeyframe = picture % keyframeEvery == 0
      defer {
        picture += 1
        time &+= 40
      }
      let body = [UInt8](repeating: UInt8(truncatingIfNeeded: picture), count: pictureBytes)
      return [
        RecordedMessage(
          isKeyframe ? .keyframe : .video, timestamp: time,
          payload: [isKeyframe ? 0x17 : 0x27, 1, 0, 0, 0] + body),
        RecordedMessage(.audio, timestamp: time, payload: [0xAF, 1, 7]),
      ]
    }
  }
}

/// Waits until something is so, with a generous limit.
func eventually(
  within limit: Duration = .seconds(20), _ condition: () async throws -> Bool
) async rethrows -> Bool {
  let end = ContinuousClock.now + limit
  while ContinuousClock.now < end {
    if try await condition() { return true }
    try? await Task.sleep(for: .milliseconds(10))
  }
  return false
}
