import HLS

extension LiveStream {
  /// What the operator sees of it.
  func status(isLive: Bool) -> StreamStatus {
    let window = renditions.source.window
    var status = meter.status(
      key, state: isLive ? .live : .waiting,
      statistics: packager.statistics,
      playlist: PlaylistStatus(
        mediaSequence: UInt64(window.playlist?.mediaSequence ?? 0),
        segments: window.segments.count,
        discontinuities: UInt64(window.state.discontinuitySequence),
        memoryBytes: renditions.keptBytes))
    status.waitingSince = isLive || isElsewhere ? nil : waitingSince
    status.renditions = renditions.status(describe)
    status.ladder = ladder?.status
    return status
  }
}
