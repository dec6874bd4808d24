import Bytes
import Foundation
import Testing

/// What was told of a job's progress.
final class Progress: @unchecked Sendable {
  // Sendable: the lock is held around all access.
  private let lock = NSLock()
  private var told: [Double] = []

  func note(_ value: Double) { lock.withLock { told.append(value) } }

  var values: [Double] { lock.withLock { told } }
}

/// What ffprobe says of a file.
struct Probe {
  var pictures = 0
  /// Packets of sound, or all of them.
  var packets = 0
  var duration = 0.0
  var bytes = 0
  /// The names of the boxes at the top, in order.
  var boxes: [String] = []
  /// Of the pictures, in the order of decoding.
  var times: [Double] = []
  var soundTimes: [Double] = []

  init(_ path: String) throws {
    for line in try Self.ask([
      "-show_entries", "packet=codec_type,pts_time", "-of", "csv=p=0", path,
    ]) {
      let words = line.split(separator: ",")
      guard words.count >= 2, let time = Double(words[1]) else { continue }
      packets += 1
      if words[0] == "video" { times.append(time) } else { soundTimes.append(time) }
    }
    // Decodes, so that a picture that is broken is missing.
    let counts = try Self.ask([
      "-count_frames", "-select_streams", "v:0", "-show_entries", "stream=nb_read_frames", "-of",
      "csv=p=0", path,
    ])
    pictures = counts.first.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
    duration =
      try Self.ask(["-show_entries", "format=duration", "-of", "csv=p=0", path]).first
      .flatMap { Double($0) } ?? 0
    let data = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    bytes = data.count
    var cursor = ByteCursor()
    while let size = try? cursor.u32(data.span), let name = try? cursor.bytes(4, data.span) {
      boxes.append(String(decoding: name, as: UTF8.self))
      var rest = Int(size) - 8
      if size == 1, let large = try? cursor.u64(data.span) { rest = Int(large) - 16 }
      guard rest >= 0, (try? cursor.skip(rest, data.span)) != nil else { break }
    }
  }

  /// A picture's size, such as `640x360`.
  static func size(_ path: String) throws -> String {
    try ask([
      "-select_streams", "v:0", "-show_entries", "stream=width,height", "-of", "csv=p=0:s=x", path,
    ]).first ?? ""
  }

  /// The lines that ffprobe answers with.
  static func ask(_ arguments: [String]) throws -> [String] {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["ffprobe", "-v", "error"] + arguments
    process.standardOutput = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text.split(separator: "\n").map(String.init)
  }
}
