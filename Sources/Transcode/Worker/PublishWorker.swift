#if canImport(Glibc)
  import Glibc
#endif

/// The child's side: `wedlive publish-worker`, which nobody types.
package enum PublishWorker {
  /// The command of the binary that calls `main`.
  package static let command = "publish-worker"

  /// Makes media until it is over or nobody wants it.
  ///
  /// - Parameters:
  ///   - arguments: what `PublishJob.arguments` wrote, without the program and the command.
  ///   - output: the socket to the parent; FLV is written into it, as fast as it is read.
  ///   - input: the file, for jobs that have one.
  /// - Returns: the exit status: 0, or the raw value of a `TranscodeError.Code`.
  package static func main(
    arguments: [String], output: CInt = WorkerProcess.outputDescriptor,
    input: CInt = WorkerProcess.inputDescriptor
  ) -> CInt {
    LibavLog.capture()
    var sink = WorkerOutput(descriptor: output)
    do throws(TranscodeError) {
      let job = try PublishJob(arguments: arguments)
      _ = WorkerConfinement(job.limits)
      try ParentWatch.start(output)
      try run(job, input: input, into: &sink)
      return 0
    } catch {
      if error.code == .outputClosed { return 0 }
      try? sink.write(error)
      return CInt(error.code.rawValue)
    }
  }

  private static func run(
    _ job: PublishJob, input: CInt, into sink: inout WorkerOutput
  ) throws(TranscodeError) {
    var events: [SourceEvent] = []
    switch job.source {
    case .test(let title, let timeOfDay):
      var source = try TestSource(
        video: job.video, audio: job.audio,
        timeline: TestTimeline(rate: job.video.rate, timeOfDay: timeOfDay), title: title)
      while true {
        try source.next(into: &events)
        try sink.write(events)
        events.removeAll(keepingCapacity: true)
      }
    case .file(let loops, let keepsSourceSize):
      var options = FileSource.Options()
      options.loops = loops
      options.keepsSourceSize = keepsSourceSize
      options.video = job.video
      options.audio = job.audio
      var source = try FileSource.open(descriptor: input, options: options)
      while try source.next(into: &events) {
        try sink.write(events)
        events.removeAll(keepingCapacity: true)
      }
    }
  }
}
