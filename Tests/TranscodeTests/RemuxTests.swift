import Bytes
import Foundation
import Media
import Testing

@testable import Transcode

@Suite struct `Remuxing a recording` {
  private let folder = RemuxFolder()

  @Test func `a real recording becomes a movie, pictures and fragments that are all there`()
    async throws
  {
    let flv = folder.path + "/a.flv"
    try ffmpeg(
      [
        "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30:duration=12", "-f", "lavfi", "-i",
        "sine=frequency=440:sample_rate=44100:duration=12", "-c:v", "libx264", "-preset",
        "ultrafast", "-bf", "2", "-g", "60", "-c:a", "aac", "-b:a", "96k", flv,
      ])
    let progress = Progress()
    let result = try await Remux.run(
      RemuxJob(parts: [.init(path: flv)]), into: folder.path, executable: try fixture()
    ) { progress.note($0) }
    let movie = try #require(result.movies.first)
    #expect(result.movies.count == 1)
    #expect(abs(result.durationSeconds - 12) < 0.1)
    #expect(result.gaps.isEmpty)
    #expect(result.leftOut.isEmpty)
    #expect(movie.video?.width == 640)
    #expect(movie.video?.height == 360)
    #expect(movie.video?.codec == "h264")
    #expect(movie.video?.frames == 360)
    #expect(abs((movie.video?.frameRate ?? 0) - 30) < 0.5)
    #expect(movie.audio?.sampleRate == 44_100)
    #expect(progress.values.last == 1)
    #expect(progress.values == progress.values.sorted())
    // All pictures and all sound, at their times, from the first to the last.
    let probe = try Probe(folder.path + "/recording.mp4")
    let source = try Probe(flv)
    #expect(probe.pictures == 360)
    #expect(probe.packets == source.packets)
    #expect(abs(probe.duration - 12) < 0.1)
    #expect(probe.boxes.starts(with: ["ftyp", "moov"]))
    #expect(probe.bytes == movie.bytes)
    let playback = try #require(movie.playback)
    #expect(try Probe(folder.path + "/hls.mp4").pictures == 360)
    #expect(playback.segments.map { $0.seconds.rounded() } == [6, 6])
    #expect(playback.segments.first?.offset == playback.headerBytes)
    #expect(playback.segments.last.map { $0.offset + $0.bytes } == playback.bytes)
    #expect(result.thumbnails.count == 5)
    for thumbnail in result.thumbnails {
      let size = try Probe.size(folder.path + "/" + thumbnail.file)
      #expect(size == "640x360")
    }
    let sprite = try #require(result.sprite)
    #expect(sprite.tiles == 6)
    #expect(try Probe.size(folder.path + "/sprite.jpg") == "\(6 * 160)x90")
    let index = try String(contentsOfFile: folder.path + "/sprite.vtt", encoding: .utf8)
    #expect(index.contains("--> 00:00:04.0"))
    #expect(index.contains("sprite.jpg#xywh=160,0,160,90"))
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(
      names == ["a.flv", "hls.mp4", "recording.mp4", "sprite.jpg", "sprite.vtt"]
        + (1...5).map { "thumbnail-\($0).jpg" })
  }
}

/// What was told of a job's progress.
final class Progress: @unchecked Sendable {
  // Sendable: the lock is held around all access.
  private let lock = NSLock()
  private var told: [Double] = []

  func note(_ value: Double) { lock.withLock { told.append(value) } }

  var values: [Double] { lock.withLock { told } }
}

/// A folder for what a job makes; it goes with the object.
final class RemuxFolder {
  let path = NSTemporaryDirectory() + "wedlive-remux-\(UUID().uuidString)"

  init() {
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file, and says where.
  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    return path + "/" + name
  }
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
