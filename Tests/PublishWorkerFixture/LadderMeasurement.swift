import Media
import Transcode

#if canImport(Glibc)
  import Glibc
#endif

/// Puts an FLV file through a transcode worker as fast as it goes, and prints what the worker used.
///
/// - Parameter arguments: the file, then the words of a `LadderJob` without its limits.
func measureLadder(_ arguments: [String]) throws {
  guard let path = arguments.first else { exit(2) }
  let job = try LadderJob(
    arguments: Array(arguments.dropFirst()) + ["memory=0", "nice=0"])
  let commands = try ladderCommands(ofFile: path)
  var start = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &start)
  var counts: [LadderEvent.Stream: (frames: Int, bytes: Int)] = [:]
  do {
    let process = try WorkerProcess(
      command: TranscodeWorker.command, arguments: job.arguments, isNonBlocking: true)
    var bytes: [UInt8] = []
    for command in commands + [.drain(1)] { command.append(to: &bytes) }
    try exchange(process.descriptor, bytes) { event in
      switch event {
      case .frame(let stream, let frame, _):
        counts[stream, default: (0, 0)].frames += 1
        counts[stream, default: (0, 0)].bytes += frame.byteCount
      case .failed(let error): say("failed: \(error)", to: 1)
      case .drained: return true
      default: break
      }
      return false
    }
  }
  var end = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &end)
  var usage = rusage()
  unsafe getrusage(RUSAGE_CHILDREN.rawValue, &usage)
  let seconds = { (time: timeval) in Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
  let wall = Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) / 1e9
  for (stream, count) in counts.sorted(by: { "\($0.key)" < "\($1.key)" }) {
    say("\(stream): \(count.frames) frames, \(count.bytes) bytes", to: 1)
  }
  say(
    "cpu \(seconds(usage.ru_utime) + seconds(usage.ru_stime)) s (user \(seconds(usage.ru_utime)))"
      + ", wall \(wall) s, peak \(usage.ru_maxrss >> 10) MiB", to: 1)
}

/// The file's tags as a node would give them: segments start with keyframes, 2 s apart at least.
private func ladderCommands(ofFile path: String) throws -> [LadderCommand] {
  guard let file = unsafe fopen(path, "r") else { exit(2) }
  defer { unsafe fclose(file) }
  var reader = FLVReader()
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  var commands: [LadderCommand] = []
  var lastCut: MediaTime?
  while case let count = unsafe fread(&buffer, 1, buffer.count, file), count > 0 {
    reader.append(buffer.span.extracting(first: count))
    while let tag = try reader.next() {
      let time = MediaTime(milliseconds: Int64(tag.timestamp))
      switch (tag.kind, tag.body.count > 5 ? tag.body[1] : 2) {
      case (.video, 0):
        let record = Array(tag.body.dropFirst(5))
        commands.append(.videoConfiguration(codec: .h264, record: record, rate: FrameRate(30)))
      case (.video, 1):
        let offset = Int64(tag.body[2]) << 16 | Int64(tag.body[3]) << 8 | Int64(tag.body[4])
        let isKey = tag.body[0] >> 4 == 1
        let pts = time + MediaTime(milliseconds: offset)
        let isCut = isKey && (lastCut.map { pts - $0 >= MediaTime(milliseconds: 2_000) } ?? true)
        if isCut { lastCut = pts }
        let frame = Frame(
          track: .video, codec: .h264, dts: time, pts: pts, isKeyframe: isKey, payload: tag.body,
          payloadOffset: 5)
        commands.append(.frame(frame, isCut: isCut))
      case (.audio, 0):
        commands.append(
          .audioConfiguration(codec: .aac, record: Array(tag.body.dropFirst(2))))
      case (.audio, 1):
        let frame = Frame(
          track: .audio, codec: .aac, dts: time, pts: time, isKeyframe: true, payload: tag.body,
          payloadOffset: 2)
        commands.append(.frame(frame, isCut: false))
      default: break
      }
    }
  }
  return commands
}

/// Writes bytes and reads events until one is the last.
private func exchange(
  _ descriptor: CInt, _ bytes: [UInt8], until isLast: (LadderEvent) -> Bool
) throws {
  var reader = LadderMessageReader<LadderEvent>()
  var buffer = [UInt8](repeating: 0, count: 1 << 18)
  var sent = 0
  while true {
    var poller = pollfd(
      fd: descriptor, events: Int16(POLLIN) | (sent < bytes.count ? Int16(POLLOUT) : 0),
      revents: 0)
    _ = unsafe poll(&poller, 1, -1)
    if sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { raw in
        unsafe send(
          descriptor, raw.baseAddress.map { unsafe $0 + sent }, raw.count - sent,
          CInt(MSG_NOSIGNAL))
      }
      sent += max(0, count)
    }
    let count = unsafe read(descriptor, &buffer, buffer.count)
    if count == 0 { return }
    if count < 0 { continue }
    reader.append(buffer.span.extracting(first: count))
    while let event = try reader.next() { if isLast(event) { return } }
  }
}
