import Foundation
import Media
import Testing

@testable import Transcode

#if canImport(Glibc)
  import Glibc
#endif

/// A node's side of a transcode worker, for tests: it writes and reads in one thread.
final class LadderPeer {
  let process: WorkerProcess
  let job: LadderJob
  /// All that the worker said.
  private(set) var events: [LadderEvent] = []
  private var reader = LadderMessageReader<LadderEvent>()
  private var outgoing: [UInt8] = []
  private var sent = 0
  private(set) var isClosed = false

  init(_ job: LadderJob) throws {
    self.job = job
    process = try WorkerProcess(
      command: TranscodeWorker.command, arguments: job.arguments, isNonBlocking: true,
      executable: fixture())
  }

  func send(_ commands: [LadderCommand]) {
    for command in commands { command.append(to: &outgoing) }
  }

  /// Writes and reads until the worker has said something, or has gone.
  ///
  /// The limit is for a worker that hangs; nothing waits for it otherwise.
  func run(
    seconds: Double = 120, until isEnough: (LadderEvent) -> Bool = { _ in false }
  ) throws {
    let limit = Date().addingTimeInterval(seconds)
    while !isClosed {
      var poller = pollfd(
        fd: process.descriptor,
        events: Int16(POLLIN) | (sent < outgoing.count ? Int16(POLLOUT) : 0), revents: 0)
      _ = unsafe poll(&poller, 1, 100)
      write()
      if try read(isEnough) { return }
      try #require(Date() < limit, "the worker hangs")
    }
  }

  /// Drains the worker: all is there that was given.
  func drain(_ id: UInt32 = 1) throws {
    send([.drain(id)])
    try run { $0 == .drained(id) }
  }

  private func write() {
    while sent < outgoing.count {
      let count = unsafe outgoing.withUnsafeBytes { buffer in
        unsafe Glibc.send(
          process.descriptor, buffer.baseAddress.map { unsafe $0 + sent }, buffer.count - sent,
          CInt(MSG_NOSIGNAL))
      }
      if count <= 0 { return }
      sent += count
    }
  }

  private func read(_ isEnough: (LadderEvent) -> Bool) throws -> Bool {
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    var found = false
    while true {
      let count = unsafe Glibc.read(process.descriptor, &buffer, buffer.count)
      if count < 0, errno == EAGAIN { return found }
      if count <= 0 {
        isClosed = true
        return found
      }
      reader.append(buffer.span.extracting(first: count))
      while let event = try reader.next() {
        events.append(event)
        if isEnough(event) { found = true }
      }
    }
  }

  /// What a stream got: its last record, and its frames with their cuts.
  func output(
    _ stream: LadderEvent.Stream
  ) -> (record: [UInt8]?, frames: [(frame: Frame, isCut: Bool)]) {
    var record: [UInt8]?
    var frames: [(Frame, Bool)] = []
    for event in events {
      switch event {
      case .configuration(stream, _, let bytes): record = bytes
      case .frame(stream, let frame, let isCut): frames.append((frame, isCut))
      default: break
      }
    }
    return (record, frames)
  }

  func configuration(rung: Int) throws -> AVCDecoderConfiguration {
    let record = try #require(output(.rung(rung)).record)
    return try AVCDecoderConfiguration(record.span)
  }

  var reports: [LadderReport] {
    events.compactMap { if case .report(let report) = $0 { report } else { nil } }
  }

  /// A rung and its sound as an FLV file.
  func file(rung: Int) throws -> TemporaryFile {
    let pictures = output(.rung(rung))
    let sound = output(.audio(job.audioIndex(ofRung: rung)))
    var events: [SourceEvent] = [
      .videoConfiguration(try #require(pictures.record)),
      .audioConfiguration(try #require(sound.record)),
    ]
    let frames = (pictures.frames + sound.frames).map(\.frame).sorted { $0.dts < $1.dts }
    events += frames.map { .frame($0) }
    return try TemporaryFile(flvBytes(events), suffix: ".flv")
  }
}

/// Two rungs that encode quickly in a debug build.
let smallRungs = [
  LadderRung(name: "big", width: 320, height: 180, videoBitrate: 300_000, audioBitrate: 96_000),
  LadderRung(name: "small", width: 160, height: 90, videoBitrate: 100_000, audioBitrate: 64_000),
]

func smallJob(_ rungs: [LadderRung] = smallRungs) -> LadderJob {
  var job = LadderJob(rungs: rungs)
  job.preset = "ultrafast"
  return job
}

/// Source events as a node gives them: every keyframe starts a segment.
func commands(_ events: [SourceEvent], rate: FrameRate = FrameRate(30)) -> [LadderCommand] {
  events.map { event in
    switch event {
    case .videoConfiguration(let record):
      .videoConfiguration(codec: .h264, record: record, rate: rate)
    case .audioConfiguration(let record): .audioConfiguration(codec: .aac, record: record)
    case .frame(let frame): .frame(frame, isCut: frame.track == .video && frame.isKeyframe)
    }
  }
}

/// What ffmpeg makes, as a publisher would send it: H.264 and AAC.
///
/// - Parameters:
///   - arguments: inputs, filters and encoders.
///   - suffix: of the container.
/// - Returns: its events.
/// - Throws: when ffmpeg or the reader of its file does.
func publishedEvents(_ arguments: [String], suffix: String = ".flv") throws -> [SourceEvent] {
  let file = try TemporaryFile()
  let path = file.path + suffix
  defer { unsafe unlink(path) }
  try ffmpeg(arguments + [path])
  let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
  return try fileEvents(TemporaryFile([UInt8](bytes), suffix: suffix))
}

/// A decoded picture of a rung.
struct RungPicture {
  var time: MediaTime
  var picture: YUVPicture
}

extension LadderPeer {
  /// What a player sees of a rung.
  func pictures(rung: Int, codec: Codec = .h264) throws -> [RungPicture] {
    let (record, frames) = output(.rung(rung))
    var decoder = try CodecContext.decoder(codec, record: #require(record))
    var packet = try MediaPacket()
    var decoded = try MediaFrame()
    var pictures: [RungPicture] = []
    func drain() throws {
      while try decoder.receive(&decoded) == .ready {
        var picture = YUVPicture(width: decoded.width, height: decoded.height)
        picture.y = decoded.plane(0, rowBytes: decoded.width, rows: decoded.height)
        let time = decoded.bestTime
        pictures.append(
          RungPicture(time: MediaTime(ticks: try #require(time)), picture: picture))
      }
    }
    for (frame, _) in frames {
      try packet.fill(frame.payload.span, pts: frame.pts.ticks, dts: frame.dts.ticks)
      let isWhole = try decoder.decode(packet)
      #expect(isWhole)
      try drain()
    }
    try decoder.finishDecoding()
    try drain()
    return pictures
  }
}
