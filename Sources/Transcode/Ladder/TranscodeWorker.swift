import Media

#if canImport(Glibc)
  import Glibc
#endif

/// The child's side of the ladder: `wedlive transcode-worker`, which nobody types.
///
/// ```
///  socket ─ reader ┬─▶ decoder ─▶ cascade ┬─▶ rung 0 ─┐
///                  │                      ├─▶ rung 1 ─┼─▶ socket
///                  │                      └─▶ …      ─┤
///                  └─▶ sound ─────────────────────────┘
/// ```
/// Each box is a thread, each arrow a queue that holds little: whoever is slow holds up those
/// before it, and only what waits compressed, before the decoder or the sound, makes up the lag.
package enum TranscodeWorker {
  /// The command of the binary that calls `main`.
  package static let command = "transcode-worker"

  /// What may wait before the decoder, in bytes: half a minute of a stream of 8 Mbit/s.
  private static let waitingBytes = 32 << 20
  private static let readBytes = 256 << 10

  /// Works until the parent closes the socket; then the process ends.
  ///
  /// - Parameters:
  ///   - arguments: what `LadderJob.arguments` wrote, without the program and the command.
  ///   - descriptor: the socket; `LadderCommand` comes in, `LadderEvent` goes out.
  package static func main(
    arguments: [String], descriptor: CInt = WorkerProcess.outputDescriptor
  ) -> Never {
    LibavLog.capture()
    let output = LadderOutput(descriptor: descriptor)
    output.orFail { () throws(TranscodeError) in
      let job = try LadderJob(arguments: arguments)
      _ = WorkerConfinement(job.limits)
      try ParentWatch.start(descriptor)
      let gauges = LadderGauges()
      let pictures = BoundedQueue<DecoderTask>(limit: waitingBytes)
      let sounds = BoundedQueue<SoundTask>(limit: waitingBytes)
      try start(job, pictures, sounds, output: output, gauges: gauges)
      var reader = CommandReader(pictures, sounds, output: output, gauges: gauges)
      try read(descriptor, into: &reader)
    }
    _exit(0)
  }

  private static func start(
    _ job: LadderJob, _ pictures: BoundedQueue<DecoderTask>, _ sounds: BoundedQueue<SoundTask>,
    output: LadderOutput, gauges: LadderGauges
  ) throws(TranscodeError) {
    let decoded = BoundedQueue<CascadeTask>(limit: 4)
    try WorkerThread.start("decoder") {
      output.orFail { () throws(TranscodeError) in
        var decoder = try LadderDecoder(from: pictures, to: decoded, gauges: gauges)
        try decoder.run()
      }
    }
    try WorkerThread.start("cascade") {
      output.orFail { () throws(TranscodeError) in
        var cascade = PictureCascade(job, from: decoded, to: output, gauges: gauges)
        try cascade.run()
      }
    }
    try WorkerThread.start("sound") {
      output.orFail { () throws(TranscodeError) in
        var sound = try LadderSound(job, from: sounds, to: output, gauges: gauges)
        try sound.run()
      }
    }
    try WorkerThread.start("report") {
      while true {
        sleep(1)
        output.send([.report(gauges.report)])
      }
    }
  }

  /// Reads the socket to its end.
  private static func read(
    _ descriptor: CInt, into reader: inout CommandReader
  ) throws(TranscodeError) {
    var buffer = [UInt8](repeating: 0, count: readBytes)
    while true {
      let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
      if count > 0 {
        try reader.take(buffer.span.extracting(first: count))
      } else if count == 0 || errno != EINTR {
        return
      }
    }
  }
}
