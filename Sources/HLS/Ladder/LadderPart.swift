package import Media

/// One segment of the source, kept until every rung has one in its place.
///
/// Its frames are what a new encoder is given when the one before it was lost, so that no rung
/// misses a segment.
package struct LadderPart {
  package let start: SegmentStart
  /// Whether encoders begin anew with it: its tracks are coded in another way, or a publisher left.
  package let beginsAnew: Bool
  /// The rungs that are encoded of it: bit n is rung n.
  package let wanted: UInt32
  /// On the stream's own time line, in order of decoding within their track.
  package private(set) var frames: [Frame] = []
  package private(set) var bytes = 0
  /// How many pictures it has.
  private(set) var pictures = 0
  /// When its first picture is shown.
  private(set) var from: MediaTime?
  /// When its last sound is heard.
  private(set) var lastSound: MediaTime?
  /// The source's segment, once it is finished.
  var source: Segment?
  /// Whether encoders hold nothing of it any more.
  var isDrained = false

  init(_ start: SegmentStart, beginsAnew: Bool, wanted: UInt32) {
    self.start = start
    self.wanted = wanted
    self.beginsAnew = beginsAnew
  }

  package var sequence: Int { start.sequence }

  /// Whether the frame is the first one of the track that decides where rungs are cut.
  func isCut(_ frame: Frame) -> Bool { frame.track == .video && from == nil }

  mutating func append(_ frame: Frame) {
    if frame.track == .video {
      if from == nil { from = frame.pts }
      pictures += 1
    } else {
      lastSound = frame.pts
    }
    frames.append(frame)
    bytes += frame.keptBytes
  }

  /// What it is as a segment, for a rung that has none of its own.
  var part: RungPackager.Part {
    RungPackager.Part(video: start.video, audio: start.audio, frames: frames)
  }
}
