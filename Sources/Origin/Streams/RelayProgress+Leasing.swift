import HLS
import Media
import RTMP

extension RelayProgress {
  /// What a relay is told of what the cluster was told.
  init(_ progress: StreamLeasing.Progress) {
    self.init(
      sequence: Int64(progress.state.nextSequence - 1),
      discontinuity: Int64(progress.state.discontinuitySequence),
      end: progress.publisherEnd.map { UInt32(truncatingIfNeeded: $0.milliseconds) },
      date: progress.publisherDate.map {
        StreamDate(time: UInt32(truncatingIfNeeded: $0.time.milliseconds), date: $0.date)
      })
  }
}
