package import Media

/// What a packager has counted and measured, for status pages, metrics and the master playlist.
package struct PackagerStatistics: Sendable, Equatable {
  package var videoFrames = 0
  package var audioFrames = 0
  package var keyframes = 0
  /// Frames that couldn't be used: no keyframe or configuration yet, another codec, damaged.
  package var droppedFrames = 0
  /// Times that a gap or a step back of the clock was closed.
  package var repairs = 0
  package var segments = 0
  /// Segments that begin without a keyframe because none came in time.
  package var forcedCuts = 0
  /// Of all segments.
  package var segmentBytes = 0
  package var segmentTime = MediaTime.zero
  /// Bits per second of the last segment, the heaviest one, and all of them.
  package var lastBitrate = 0
  package var peakBitrate = 0
  /// Pictures per second in the last segment.
  package var lastFrameRate = 0.0
  /// Between the last two keyframes.
  package var keyframeInterval = MediaTime.zero

  package init() {}

  package var averageBitrate: Int {
    segmentTime > .zero ? Int(Double(segmentBytes * 8) / segmentTime.seconds) : 0
  }

  /// Counts a finished segment.
  ///
  /// One that is cut short by its publisher's end is no measure of the peak: its keyframe weighs
  /// too much in it. RFC 8216 measures over half a target duration and more. Nor is it one of the
  /// picture rate: its last sounds may outlast its pictures by far.
  mutating func note(_ segment: Segment, pictures: Int, isCutShort: Bool = false) {
    segments += 1
    segmentBytes += segment.bytes.count
    segmentTime += segment.duration
    lastBitrate = segment.bitrate
    let seconds = segment.duration.seconds
    if seconds > 0, !isCutShort || lastFrameRate == 0 {
      lastFrameRate = Double(pictures) / seconds
    }
    if peakBitrate == 0 || 2 * seconds >= Double(segment.targetDuration) {
      peakBitrate = max(peakBitrate, segment.bitrate)
    }
  }

  /// The picture rate to announce: the declared one if the frames agree, else what they show.
  func frameRate(declared: Double?) -> Double? {
    guard lastFrameRate > 0.5 else { return declared }
    let candidates: [Double] = (declared.map { [$0] } ?? []) + Self.usualRates
    let fitting = candidates.first { ($0 - lastFrameRate).magnitude <= $0 * 0.04 }
    return fitting ?? (lastFrameRate * 10).rounded() / 10
  }

  private static let usualRates: [Double] = [
    30, 25, 60, 50, 24, 30_000 / 1_001, 60_000 / 1_001, 24_000 / 1_001, 15, 20, 10, 120,
  ]
}
