import Foundation
import Media
import Testing

@testable import Transcode

#if canImport(Glibc)
  import Glibc
#endif

@Suite struct `Worker process` {
  private func job(_ source: PublishJob.Source = .test(title: "a b=c", timeOfDay: 3600.5))
    -> PublishJob
  {
    var job = PublishJob(source)
    job.video = smallVideo()
    return job
  }

  private func start(_ job: PublishJob, input: CInt? = nil) throws -> WorkerProcess {
    try WorkerProcess(
      command: PublishWorker.command, arguments: job.arguments, input: input,
      executable: fixture())
  }

  /// Whether a process is there and no zombie.
  private func isRunning(_ processID: CInt) -> Bool {
    guard let status = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8)
    else { return false }
    return !status.contains(") Z")
  }

  private func waitForEnd(_ processID: CInt) -> Bool {
    for _ in 0..<500 where isRunning(processID) { usleep(20_000) }
    return !isRunning(processID)
  }

  /// All that a fixture says on its socket.
  private func line(_ command: String, input: CInt? = nil) throws -> String {
    let process = try WorkerProcess(
      command: command, arguments: [], input: input, executable: fixture())
    var buffer = [UInt8](repeating: 0, count: 1000)
    let count = unsafe read(process.descriptor, &buffer, buffer.count)
    #expect(process.wait() == .exited(status: 0))
    return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
      .trimmingCharacters(in: .newlines)
  }

  @Test func `a job crosses in arguments unchanged`() throws {
    var jobs = [job(), job(.file(loops: true, keepsSourceSize: false))]
    jobs[0].video.rate = FrameRate(30_000, per: 1001)
    jobs[0].limits.memoryBytes = 123 << 20
    for job in jobs { #expect(try PublishJob(arguments: job.arguments) == job) }
    for wrong in ["source=radio", "width=-2", "rate=0/0", "nice", "bogus=1"] {
      let name = wrong.prefix { $0 != "=" }
      let words = job().arguments.filter { !$0.hasPrefix(name + "=") } + [wrong]
      let error = #expect(throws: TranscodeError.self) { _ = try PublishJob(arguments: words) }
      #expect(error?.code == .usage)
    }
  }

  @Test func `a worker makes FLV with monotone times until it is let go`() throws {
    let processID: CInt
    do {
      let process = try start(job())
      processID = process.processID
      var reader = WorkerReader(process)
      var last: UInt32 = 0
      for index in 0..<200 {
        let tag = try #require(try reader.next())
        if index == 0 { #expect(tag.kind == .video && tag.body.starts(with: [0x17, 0])) }
        if index == 1 { #expect(tag.kind == .audio && tag.body.starts(with: [0xAF, 0])) }
        #expect(tag.timestamp >= last)
        last = tag.timestamp
      }
      #expect(process.exit() == nil)
    }
    #expect(!isRunning(processID))
  }

  @Test func `a worker runs no further ahead than its socket holds`() throws {
    let process = try start(job())
    // It has stopped when nothing was added for a second, after something was.
    var bytes: CInt = 0
    var before: CInt = -1
    while bytes == 0 || bytes != before {
      before = bytes
      usleep(1_000_000)
      try #require(unsafe ioctl(process.descriptor, UInt(FIONREAD), &bytes) == 0)
      try #require(process.exit() == nil)
    }
    #expect(bytes < 300_000)
  }

  @Test func `a worker ends when its socket closes`() throws {
    let process = try start(job())
    var reader = WorkerReader(process)
    _ = try reader.next()
    shutdown(process.descriptor, CInt(SHUT_RDWR))
    #expect(process.wait() == .exited(status: 0))
  }

  @Test func `a worker ends when its parent is killed`() throws {
    let parent = Process()
    let pipe = Pipe()
    parent.executableURL = URL(fileURLWithPath: try fixture())
    parent.arguments = ["parent"] + job().arguments
    parent.standardOutput = pipe
    try parent.run()
    let text = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
    let worker = try #require(CInt(text.trimmingCharacters(in: .newlines)))
    #expect(isRunning(worker))
    kill(parent.processIdentifier, SIGKILL)
    parent.waitUntilExit()
    #expect(waitForEnd(worker))
  }

  @Test func `a file goes through a worker to its end`() throws {
    let events = try testEvents(frames: 90)
    let file = try TemporaryFile(flvBytes(events), suffix: ".flv")
    let process = try start(
      job(.file(loops: false, keepsSourceSize: true)), input: file.descriptor)
    var reader = WorkerReader(process)
    var pictures: [[UInt8]] = []
    while let tag = try reader.next() {
      if tag.kind == .video, tag.body[1] == 1 { pictures.append(Array(tag.body.dropFirst(5))) }
    }
    #expect(pictures == frames(events, .video).map(\.payload))
    #expect(process.exit() == .exited(status: 0))
  }

  @Test func `a hostile file ends the worker with a reason, and nothing else`() throws {
    let file = try TemporaryFile(Array("RIFF\u{FF}\u{FF}\u{FF}\u{7F}AVI LIST not really".utf8))
    let process = try start(
      job(.file(loops: false, keepsSourceSize: true)), input: file.descriptor)
    var reader = WorkerReader(process)
    let error = #expect(throws: TranscodeError.self) { while try reader.next() != nil {} }
    #expect(error?.code == .input)
    #expect(error?.message.hasPrefix("reading the input: ") == true)
  }

  @Test func `a crash, garbage and a missing program are errors of the parent's words`() throws {
    for (command, word) in [("crash", "signal 11"), ("garbage", "no FLV"), ("other", "status 2")] {
      let process = try WorkerProcess(command: command, arguments: [], executable: fixture())
      var reader = WorkerReader(process)
      let error = #expect(throws: TranscodeError.self) { while try reader.next() != nil {} }
      #expect(error?.message.contains(word) == true)
    }
    let error = #expect(throws: TranscodeError.self) {
      _ = try WorkerProcess(command: "x", arguments: [], executable: "/nonexistent")
    }
    #expect(error?.code == .system)
    #expect(error?.message.contains("No such file") == true)
  }

  @Test func `a child has its own descriptors and no secret of the environment`() throws {
    unsafe setenv("WEDLIVE_TEST_SECRET", "hush", 1)
    defer { unsafe unsetenv("WEDLIVE_TEST_SECRET") }
    let leaky = unsafe open("/dev/null", O_RDONLY)
    let file = try TemporaryFile()
    defer { close(leaky) }
    #expect(try line("descriptors") == "0,1,2,3 no secret")
    #expect(try line("descriptors", input: file.descriptor) == "0,1,2,3,4 no secret")
  }

  @Test func `a confined worker has threads and nothing of network, files or programs`() throws {
    let said = try line("confined")
    #expect(said == "seccomp 0000 threads")
  }

  @Test func `a memory limit that is too small is an error and no hang`() throws {
    var small = job()
    small.limits.memoryBytes = 360 << 20
    small.video = VideoSettings(width: 3840, height: 2160)
    let process = try start(small)
    var reader = WorkerReader(process)
    #expect(throws: TranscodeError.self) {
      for _ in 0..<50 where try reader.next() == nil { break }
    }
  }
}
