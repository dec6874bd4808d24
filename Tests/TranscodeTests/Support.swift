import Bytes
import Foundation
import Media
import Testing

@testable import Transcode

#if canImport(Glibc)
  import Glibc
#endif

/// A file with a name for tools, and its descriptor; both go with the object.
final class TemporaryFile {
  let path: String
  let descriptor: CInt

  init(_ bytes: [UInt8] = [], suffix: String = "") throws {
    path = NSTemporaryDirectory() + "wedlive-transcode-\(UUID().uuidString)\(suffix)"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    try #require(descriptor >= 0)
  }

  deinit {
    close(descriptor)
    _ = unsafe unlink(path)
  }
}

/// Settings that encode quickly in a debug build.
func smallVideo(_ rate: FrameRate = FrameRate(30)) -> VideoSettings {
  var settings = VideoSettings(width: 320, height: 180, rate: rate, bitrate: 400_000)
  settings.preset = "ultrafast"
  return settings
}

/// Keeps libav's lines off the test's output, once.
private let isQuiet: Bool = {
  LibavLog.capture()
  return true
}()

/// A test picture's events: about `frames` pictures and their sound.
func testEvents(
  frames: Int, rate: FrameRate = FrameRate(30), timeline: TestTimeline? = nil
) throws -> [SourceEvent] {
  #expect(isQuiet)
  var source = try TestSource(
    video: smallVideo(rate), audio: AudioSettings(),
    timeline: timeline ?? TestTimeline(rate: rate), title: "test")
  var events: [SourceEvent] = []
  // A few more are drawn, for the sound to catch up with the last picture.
  for _ in 0..<frames + 10 { try source.next(into: &events) }
  let end = MediaTime(ticks: rate.time(ofFrame: Int64(frames), scale: 90_000))
  events.removeAll { if case .frame(let frame) = $0 { frame.dts >= end } else { false } }
  return events
}

func frames(_ events: [SourceEvent], _ track: Track) -> [Frame] {
  events.compactMap { event in
    if case .frame(let frame) = event, frame.track == track { frame } else { nil }
  }
}

/// All events that a file gives.
func fileEvents(
  _ file: TemporaryFile, _ options: FileSource.Options = .init(), atMost limit: Int = 100_000
) throws -> [SourceEvent] {
  #expect(isQuiet)
  var source = try FileSource.open(descriptor: file.descriptor, options: options)
  var events: [SourceEvent] = []
  while events.count < limit, try source.next(into: &events) {}
  return events
}

/// The events as an FLV file, through the socket that a worker writes to.
func flvBytes(_ events: [SourceEvent]) throws -> [UInt8] {
  var pair: [CInt] = [-1, -1]
  try #require(unsafe socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &pair) == 0)
  let descriptor = pair[0]
  defer { close(descriptor) }
  let writer = pair[1]
  let thread = Thread {
    var output = WorkerOutput(descriptor: writer)
    try? output.write(events)
    close(writer)
  }
  thread.start()
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  while case let count = unsafe read(descriptor, &buffer, buffer.count), count > 0 {
    bytes += buffer[..<count]
  }
  return bytes
}

/// What a decoder makes of a file.
struct Decoded {
  /// The time of each picture, and how bright an area of it is.
  var pictures: [(time: MediaTime, luma: Double)] = []
  /// The left channel, and the time of its first sample.
  var samples: [Float] = []
  var soundStart: MediaTime?

  init(_ file: TemporaryFile, area: PictureRect) throws {
    var input = try InputFile.open(descriptor: file.descriptor)
    var packet = try MediaPacket()
    var frame = try MediaFrame()
    let streams = (input.video, input.audio)
    var video = try input.decoder(for: #require(streams.0))
    var audio = try input.decoder(for: #require(streams.1))
    while let next = try input.read(&packet) {
      try packet.fill(next.bytes.span, pts: next.pts, dts: next.dts)
      switch next.track {
      case .video:
        let isWhole = try video.decode(packet)
        #expect(isWhole)
        try takePictures(&video, &frame, area)
      case .audio:
        let isWhole = try audio.decode(packet)
        #expect(isWhole)
        try takeSound(&audio, &frame)
      }
    }
    try video.finishDecoding()
    try takePictures(&video, &frame, area)
  }

  /// When the picture's mark lights up, and when the tone begins to sound: in seconds.
  func marks() -> (flashes: [Double], beeps: [Double]) {
    var flashes: [Double] = []
    var wasBright = false
    for (time, luma) in pictures {
      if luma > 180, !wasBright { flashes.append(time.seconds) }
      wasBright = luma > 180
    }
    var beeps: [Double] = []
    let start = soundStart?.seconds ?? 0
    for (index, sample) in samples.enumerated() where sample.magnitude > 0.1 {
      let time = start + Double(index) / 48_000
      if beeps.last.map({ time - $0 > 0.5 }) ?? true { beeps.append(time) }
    }
    return (flashes, beeps)
  }

  private mutating func takePictures(
    _ decoder: inout CodecContext, _ frame: inout MediaFrame, _ area: PictureRect
  ) throws {
    while try decoder.receive(&frame) == .ready {
      var picture = YUVPicture(width: frame.width, height: frame.height)
      picture.y = frame.plane(0, rowBytes: frame.width, rows: frame.height)
      pictures.append((MediaTime(ticks: frame.bestTime ?? -1), picture.meanLuma(area)))
    }
  }

  private mutating func takeSound(
    _ decoder: inout CodecContext, _ frame: inout MediaFrame
  ) throws {
    while try decoder.receive(&frame) == .ready {
      if soundStart == nil { soundStart = frame.bestTime.map { MediaTime(ticks: $0) } }
      samples += frame.channel(0)
    }
  }
}

/// The fixture that stands beside the test bundle.
func fixture() throws -> String {
  let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  let path = URL(fileURLWithPath: executable).deletingLastPathComponent()
    .appending(path: "PublishWorkerFixture").path
  try #require(FileManager.default.isExecutableFile(atPath: path))
  return path
}

/// Runs ffmpeg, which `make test` installs.
func ffmpeg(_ arguments: [String]) throws {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = ["ffmpeg", "-v", "error", "-nostdin", "-y"] + arguments
  try process.run()
  process.waitUntilExit()
  try #require(process.terminationStatus == 0)
}
