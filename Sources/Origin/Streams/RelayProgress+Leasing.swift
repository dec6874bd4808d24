import HLS
import Media
import RTMP

extension RelayProgress {
  /// What a relay is told of what the cluster was told.
  ///
  /// - Parameters:
  ///   - progress: of the stream.
  ///   - program: how far the one has come that is made of it and others here; nil where there is
  ///     none.
  init(_ progress: StreamLeasing.Progress, program: ProgramPlace?) {
    self.init(
      sequence: Int64(progress.state.nextSequence - 1),
      discontinuity: Int64(progress.state.discontinuitySequence),
      end: progress.publisherEnd.map { UInt32(truncatingIfNeeded: $0.milliseconds) },
      date: progress.publisherDate.map {
        StreamDate(time: UInt32(truncatingIfNeeded: $0.time.milliseconds), date: $0.date)
      }, program: program)
  }
}
