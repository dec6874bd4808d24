import Foundation
import Media
import Testing

@testable import Transcode

@Suite struct `File source` {
  /// Three seconds of a test picture in a container.
  private func media(_ suffix: String, _ arguments: [String] = ["-c", "copy"]) throws
    -> (events: [SourceEvent], file: TemporaryFile)
  {
    let events = try testEvents(frames: 90)
    let flv = try TemporaryFile(flvBytes(events), suffix: ".flv")
    let path = flv.path + suffix
    defer { unsafe unlink(path) }
    try ffmpeg(["-i", flv.path] + arguments + [path])
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    return (events, try TemporaryFile([UInt8](bytes), suffix: suffix))
  }

  private func expectOrder(_ events: [SourceEvent]) {
    var last = MediaTime(ticks: .min)
    for case .frame(let frame) in events {
      #expect(frame.dts >= last)
      #expect(frame.pts >= frame.dts)
      last = frame.dts
    }
  }

  @Test(arguments: [".flv", ".mp4", ".mkv"])
  func `H.264 and AAC go through with every byte as it was`(suffix: String) throws {
    let (sent, file) = try media(suffix)
    let got = try fileEvents(file)
    for track in [Track.video, .audio] {
      #expect(frames(got, track).map(\.payload) == frames(sent, track).map(\.payload))
    }
    // The file was made from FLV, whose times are whole milliseconds.
    for (a, b) in zip(frames(got, .video), frames(sent, .video)) {
      #expect((a.dts - b.dts).ticks.magnitude <= 90)
      #expect(a.isKeyframe == b.isKeyframe)
    }
    #expect(got.prefix(4).contains { if case .videoConfiguration = $0 { true } else { false } })
    expectOrder(got)
  }

  @Test func `MPEG-TS loses its start codes and ADTS headers and nothing else`() throws {
    let (sent, file) = try media(".ts")
    let got = try fileEvents(file)
    #expect(frames(got, .audio).map(\.payload) == frames(sent, .audio).map(\.payload))
    let pictures = frames(got, .video)
    #expect(pictures.count == 90)
    #expect(pictures.filter(\.isKeyframe).count == 2)
    for (a, b) in zip(pictures, frames(sent, .video)) {
      // The muxer repeats parameter sets before keyframes.
      #expect(a.payload.suffix(b.payload.count / 2) == b.payload.suffix(b.payload.count / 2))
    }
    expectOrder(got)
  }

  @Test func `a file that loops goes on without a step`() throws {
    let (sent, file) = try media(".mp4")
    var options = FileSource.Options()
    options.loops = true
    let got = try fileEvents(file, options, atMost: 1_000)
    let pictures = frames(got, .video)
    #expect(pictures.count > 300)
    expectOrder(got)
    let round = frames(sent, .video).count
    for index in round..<pictures.count {
      #expect(pictures[index].payload == pictures[index - round].payload)
    }
    for (a, b) in zip(pictures, pictures.dropFirst()) {
      let step = (b.dts - a.dts).seconds
      #expect(step > 0 && step < 0.08)
    }
  }

  @Test(arguments: [
    (".webm", ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"]),
    (".avi", ["-c:v", "mpeg4", "-c:a", "libmp3lame", "-ar", "44100"]),
    (".mkv", ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv444p", "-c:a", "flac"]),
    (".mp4", ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "3", "-c:a", "copy"]),
  ])
  func `other codecs become H.264 and AAC with flash and beep in step`(
    suffix: String, arguments: [String]
  ) throws {
    let (_, file) = try media(suffix, arguments)
    var options = FileSource.Options()
    options.video.preset = "ultrafast"
    let got = try fileEvents(file, options)
    expectOrder(got)
    #expect(abs(frames(got, .video).count - 90) <= 1)
    let again = try TemporaryFile(flvBytes(got), suffix: ".flv")
    let decoded = try Decoded(
      again, area: TestPictureLayout(width: 320, height: 180).flashArea)
    let flash = try #require(decoded.pictures.first { $0.time.seconds > 1.5 && $0.luma > 180 })
    let start = decoded.soundStart?.seconds ?? 0
    let beep = try #require(
      decoded.samples.indices.first { index in
        start + Double(index) / 48_000 > 1.5 && decoded.samples[index].magnitude > 0.1
      })
    #expect(abs(flash.time.seconds - 2) < 0.07)
    #expect(abs(start + Double(beep) / 48_000 - flash.time.seconds) < 0.05)
  }

  @Test func `what is no media is refused with a reason`() throws {
    let (_, good) = try media(".mp4")
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: good.path)))
    var random = SystemRandomNumberGenerator()
    let hostile: [[UInt8]] = [
      [], [0], Array("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n".utf8),
      Array("ffconcat version 1.0\nfile /etc/passwd\n".utf8), Array(whole.prefix(40)),
      (0..<50_000).map { _ in UInt8.random(in: 0...255, using: &random) },
    ]
    for bytes in hostile {
      let file = try TemporaryFile(bytes)
      let error = #expect(throws: TranscodeError.self) { _ = try fileEvents(file) }
      #expect(error?.code == .input)
      #expect(error?.message.isEmpty == false)
    }
  }

  @Test func `a file with broken bytes gives what is whole, or a reason`() throws {
    let (_, good) = try media(".ts", ["-c:v", "mpeg2video", "-c:a", "mp2"])
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: good.path)))
    for seed in 0..<8 {
      var bytes = whole
      for index in stride(from: 1000 + seed * 37, to: bytes.count, by: 997) {
        bytes[index] &+= UInt8(truncatingIfNeeded: index * (seed + 1))
      }
      let file = try TemporaryFile(bytes)
      do { expectOrder(try fileEvents(file)) } catch let error as TranscodeError {
        #expect(error.code == .input)
      }
    }
  }
}
