import Bytes
import Foundation
import Media
import TestSupport
import Testing

@testable import Transcode

@Suite struct `Remuxing a recording` {
  private let folder = TemporaryFolder()

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

  /// A test picture with a tone, as ffmpeg makes it.
  private func record(
    _ name: String, seconds: Int = 4, size: String = "320x180", video: [String] = x264,
    audio: [String] = ["-c:a", "aac", "-b:a", "64k"]
  ) throws -> String {
    let path = folder.path + "/" + name
    try ffmpeg(
      [
        "-f", "lavfi", "-i", "testsrc2=size=\(size):rate=25:duration=\(seconds)", "-f", "lavfi",
        "-i", "sine=frequency=440:sample_rate=48000:duration=\(seconds)",
      ] + video + audio + [path])
    return path
  }

  private static let x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25"]

  private func run(
    _ parts: [RemuxJob.Part], _ change: (inout RemuxJob) -> Void = { _ in }
  ) async throws -> RemuxResult {
    var job = RemuxJob(parts: parts)
    change(&job)
    return try await Remux.run(job, into: folder.path, executable: try fixture())
  }

  /// What a folder is left with when nothing was made: the parts alone.
  private func leftovers() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { !$0.hasSuffix(".flv") }
  }

  @Test func `parts with a pause between them are one movie, in step`() async throws {
    let first = try record("1.flv")
    let second = try record("2.flv")
    let result = try await run([
      .init(path: first, startedAt: 1_000), .init(path: second, startedAt: 1_034),
    ])
    #expect(result.movies.count == 1)
    let gap = try #require(result.gaps.first)
    #expect(result.gaps.count == 1 && gap.reason == .reconnect)
    #expect(abs(gap.at - 4) < 0.1 && abs((gap.seconds ?? 0) - 30) < 0.2)
    let probe = try Probe(folder.path + "/recording.mp4")
    #expect(probe.pictures == 200)
    #expect(abs(probe.duration - 8) < 0.2)
    // The second run's sound is as far from its picture as it was.
    let picture = try #require(probe.times.filter { $0 > 3.9 }.min())
    let sound = try #require(probe.soundTimes.filter { $0 > picture - 0.04 }.min())
    #expect(abs(picture - sound) < 0.05)
    #expect(zip(probe.soundTimes, probe.soundTimes.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test func `fragments play as an HLS playlist with byte ranges says`() async throws {
    let result = try await run([.init(path: try record("a.flv", seconds: 9))]) {
      $0.segmentSeconds = 2
    }
    let playback = try #require(result.movies.first?.playback)
    #expect(playback.segments.count == 5)
    var text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:3\n#EXT-X-PLAYLIST-TYPE:VOD\n"
    text += "#EXT-X-MAP:URI=\"hls.mp4\",BYTERANGE=\"\(playback.headerBytes)@0\"\n"
    for segment in playback.segments {
      text += "#EXTINF:\(segment.seconds),\n#EXT-X-BYTERANGE:\(segment.bytes)@\(segment.offset)\n"
      text += "hls.mp4\n"
    }
    _ = try folder.file("index.m3u8", Array((text + "#EXT-X-ENDLIST\n").utf8))
    let probe = try Probe(folder.path + "/index.m3u8")
    #expect(probe.pictures == 225)
    #expect(abs(probe.duration - 9) < 0.2)
    // Each fragment alone, after the header, begins with a picture that can be shown.
    let all = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.path + "/hls.mp4")))
    for segment in playback.segments {
      let one = try folder.file(
        "one.mp4",
        Array(all[..<playback.headerBytes] + all[segment.offset..<segment.offset + segment.bytes]))
      let pictures = try Probe(one).pictures
      #expect(abs(pictures - Int((segment.seconds * 25).rounded())) <= 1)
    }
  }

  @Test func `another size or codec is another movie, and thumbnails are of all`() async throws {
    let small = try record("1.flv")
    let large = try record("2.flv", size: "640x360")
    let result = try await run([.init(path: small), .init(path: large)])
    #expect(result.movies.map(\.file) == ["recording.mp4", "recording-2.mp4"])
    #expect(result.movies.map { $0.video?.width } == [320, 640])
    #expect(abs(result.durationSeconds - 8) < 0.2)
    for movie in result.movies {
      #expect(try Probe(folder.path + "/" + movie.file).pictures == 100)
      let playback = try #require(movie.playback)
      #expect(try Probe(folder.path + "/" + playback.file).pictures == 100)
    }
    #expect(Set(result.thumbnails.map(\.width)) == [320, 640])
  }

  @Test func `pictures alone and sound alone are movies, too`() async throws {
    let mute = try await run([.init(path: try record("mute.flv", audio: ["-an"]))])
    #expect(mute.movies.first?.audio == nil)
    #expect(mute.thumbnails.count == 5)
    let blind = try await run([.init(path: try record("blind.flv", seconds: 14, video: ["-vn"]))])
    #expect(blind.movies.first?.video == nil)
    #expect(blind.movies.first?.audio?.channels == 1)
    #expect(blind.thumbnails.isEmpty && blind.sprite == nil)
    #expect(blind.movies.first?.playback?.segments.map { $0.seconds.rounded() } == [6, 6, 2])
    #expect(try Probe(folder.path + "/recording.mp4").soundTimes.count > 600)
  }

  @Test(arguments: [
    (
      ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:keyint=25"],
      "hevc"
    ),
    (["-c:v", "libsvtav1", "-preset", "10", "-g", "25"], "av1"),
    (["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "25"], "vp9"),
  ])
  func `codecs of Enhanced RTMP are kept as they are`(_ video: [String], _ codec: String)
    async throws
  {
    let source = try record("a.mp4", video: video)
    let flv = try folder.file("a.flv", try enhancedFLV(source, codec))
    let result = try await run([.init(path: flv)])
    let movie = try #require(result.movies.first)
    #expect(movie.video?.width == 320)
    #expect(result.thumbnails.count == 5)
    for file in ["/recording.mp4", "/hls.mp4"] {
      let probe = try Probe(folder.path + file)
      #expect(probe.pictures == 100)
      let tag = try Probe.ask([
        "-select_streams", "v:0", "-show_entries", "stream=codec_name,codec_tag_string", "-of",
        "csv=p=0", folder.path + file,
      ])
      let name = ["hevc": "hevc,hvc1", "av1": "av1,av01", "vp9": "vp9,vp09"][codec]
      #expect(tag.first == name)
    }
  }

  @Test func `damage costs what it hit, and is noted`() async throws {
    let path = try record("a.flv", seconds: 8)
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    let middle = bytes.count / 2
    bytes.replaceSubrange(middle..<middle, with: [UInt8](repeating: 0xA5, count: 3_000))
    for index in 0..<20 { bytes[middle / 2 + index * 37] ^= 0x5A }
    bytes.removeLast(1_000)
    let result = try await run([.init(path: try folder.file("a.flv", bytes))])
    #expect(result.gaps.contains { $0.reason == .damage })
    #expect(result.leftOut.contains { $0.hasSuffix("damaged bytes") })
    let probe = try Probe(folder.path + "/recording.mp4")
    #expect(probe.pictures > 190 && probe.duration > 7.5 && probe.duration < 8.3)
  }

  @Test func `what is no recording is said to be none, and leaves nothing behind`() async throws {
    let nothing: [[UInt8]] = [
      [], Array("FLV".utf8), [UInt8](repeating: 9, count: 200_000),
      Array("RIFF\u{FF}\u{FF}\u{FF}\u{7F}AVI LIST".utf8),
    ]
    for bytes in nothing {
      let path = try folder.file("x.flv", bytes)
      let error = await #expect(throws: RemuxError.self) { try await run([.init(path: path)]) }
      #expect(error?.code == .noMedia)
      #expect(error?.canRetry == false)
    }
    let missing = await #expect(throws: RemuxError.self) {
      try await run([.init(path: folder.path + "/none.flv")])
    }
    #expect(missing?.code == .missingPart)
    #expect(try leftovers().isEmpty)
  }

  @Test func `a publisher that came back hundreds of times has one movie`() async throws {
    let path = try record("a.flv", seconds: 1, size: "64x36")
    let times = 420
    let result = try await run(
      (0..<times).map { .init(path: path, startedAt: Double($0) * 3) }
    ) {
      $0.thumbnails = 1
    }
    #expect(result.movies.count == 1)
    #expect(result.movies.first?.video?.frames == 25 * times)
    #expect(result.gaps.count == times - 1)
  }

  @Test func `what the system or a disk lacks is no fault of the recording`() async throws {
    let folder = TemporaryFolder()
    let path = folder.path + "/loop.flv"
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path)
    let unreadable = await #expect(throws: RemuxError.self) { try await run([.init(path: path)]) }
    #expect(unreadable?.code == .folder && unreadable?.canRetry == true)
    #expect(RemuxReader.error(TranscodeError.Code.system.rawValue, "").code == .folder)
    let good = try record("a.flv", seconds: 1)
    let none = await #expect(throws: RemuxError.self) {
      try await Remux.run(
        RemuxJob(parts: [.init(path: good)]), into: folder.path, executable: "/none/at/all")
    }
    #expect(none?.code == .resources && none?.canRetry == true)
  }

  @Test func `random bytes in a recording never end the worker otherwise than by a reason`()
    async throws
  {
    let path = try record("a.flv", seconds: 2)
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var random = SystemRandomNumberGenerator()
    for _ in 0..<12 {
      var bytes = whole
      for _ in 0..<200 {
        bytes[Int(random.next(upperBound: UInt64(bytes.count)))] = UInt8(random.next() & 0xFF)
      }
      _ = try folder.file("b.flv", bytes)
      do {
        let result = try await run([.init(path: folder.path + "/b.flv")])
        #expect(!result.movies.isEmpty)
      } catch let error as RemuxError {
        #expect(error.code == .noMedia || error.code == .failed, "\(error)")
      }
    }
  }

  @Test func `a disk without room is told before and while it fills`() async throws {
    let disk = "/dev/shm/wedlive-full-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: disk) }
    let path = try record("a.flv")
    // A limit on the size of files is what a full disk is to the worker.
    var order = RemuxOrder(RemuxJob(parts: [.init(path: path)]))
    order.limits.fileBytes = 20_000
    var files = try RemuxFiles(RemuxJob(parts: [.init(path: path)]), folder: disk)
    let process = try WorkerProcess(
      command: RemuxWorker.command, arguments: order.arguments, files: files.descriptors,
      limits: order.limits, executable: try fixture())
    var reader = RemuxReader(process, patience: .seconds(60))
    var last: RemuxMessage?
    while let message = try reader.next() { last = message }
    guard case .failed(_, let words) = last else {
      Issue.record("it did not fail, but said \(String(describing: last))")
      return
    }
    #expect(words.hasPrefix("writing the recording: "))
    try files.write(.sprite, [1])
    files.discard()
    #expect(try FileManager.default.contentsOfDirectory(atPath: disk).isEmpty)
  }

  @Test func `a job that is cancelled, and a worker that is lost or stands still, leave nothing`()
    async throws
  {
    let path = try record("a.flv", seconds: 60, size: "1280x720")
    let (folder, executable) = (folder.path, try fixture())
    let (begun, continuation) = AsyncStream.makeStream(of: Double.self)
    let task = Task {
      try await Remux.run(
        RemuxJob(parts: [.init(path: path)]), into: folder, executable: executable
      ) { continuation.yield($0) }
    }
    for await _ in begun { break }
    task.cancel()
    let cancelled = await #expect(throws: RemuxError.self) { try await task.value }
    #expect(cancelled?.code == .cancelled)
    #expect(try leftovers().isEmpty)
    var job = RemuxJob(parts: [.init(path: path)])
    let lost = job
    let dead = await #expect(throws: RemuxError.self) {
      try await Remux.run(lost, into: folder, executable: "/bin/false")
    }
    #expect(dead?.code == .crashed && dead?.canRetry == true)
    job.hangTimeout = .seconds(1)
    let still = job
    let hung = await #expect(throws: RemuxError.self) {
      try await Remux.run(still, into: folder, executable: try hangingProgram())
    }
    #expect(hung?.code == .hung)
    #expect(try leftovers() == ["hang"])
  }

  /// A program that does nothing, for ever.
  private func hangingProgram() throws -> String {
    let path = try folder.file("hang", Array("#!/bin/sh\nexec sleep 600\n".utf8))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return path
  }

  /// The pictures and the sound of an MP4 as tags of Enhanced RTMP.
  private func enhancedFLV(_ path: String, _ codec: String) throws -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY)
    defer { close(descriptor) }
    var input = try InputFile.open(descriptor: descriptor)
    var packet = try MediaPacket()
    let fourCC = Array(["hevc": "hvc1", "av1": "av01", "vp9": "vp09"][codec, default: ""].utf8)
    var bytes: [UInt8] = []
    FLVWriter.header(hasAudio: true, hasVideo: true, to: &bytes)
    var record = input.video?.extradata ?? []
    if codec == "vp9" { record = [1, 0, 0, 0, 0, 10, 0x82, 1, 1, 1, 0, 0] }
    FLVWriter.tag(
      .video, timestamp: 0, body: ([0x90] + fourCC + record).span, to: &bytes)
    FLVWriter.tag(
      .audio, timestamp: 0, body: ([0xAF, 0] + (input.audio?.extradata ?? [])).span,
      to: &bytes)
    while let next = try input.read(&packet) {
      // A file's first pictures are decoded before 0.
      let time = UInt32(max(0, next.dts + 90_000) / 90)
      switch next.track {
      case .audio:
        FLVWriter.tag(.audio, timestamp: time, body: ([0xAF, 1] + next.bytes).span, to: &bytes)
      case .video:
        var body: [UInt8] = [next.isKeyframe ? 0x91 : 0xA1] + fourCC
        if codec == "hevc" { body.append(u24: UInt32(max(0, next.pts - next.dts) / 90)) }
        FLVWriter.tag(.video, timestamp: time, body: (body + next.bytes).span, to: &bytes)
      }
    }
    return bytes
  }
}
