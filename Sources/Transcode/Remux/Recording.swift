import Media

#if canImport(Glibc)
  import Glibc
#endif

/// Reads the parts of a recording in their order.
enum Recording {
  /// Gives all frames with their places.
  ///
  /// - Parameters:
  ///   - order: which parts there are; their descriptors are open.
  ///   - timeline: where the frames are placed.
  ///   - progress: is given how many bytes were read, again and again.
  ///   - take: is given each frame.
  /// - Throws: what `take` does; `.system` where the disk can't be read.
  static func read(
    _ order: RemuxOrder, _ timeline: inout RecordingTimeline, progress: (Int) -> Void,
    _ take: (RecordingTimeline.Placed) throws(TranscodeError) -> Void
  ) throws(TranscodeError) {
    var before = 0
    var frames: [RecordingTimeline.Placed] = []
    for (index, part) in order.parts.enumerated() {
      var reader = RecordedPart(descriptor: order.descriptor(ofPart: index))
      timeline.beginPart(startedAt: part.startedAt, continues: part.continues)
      while let step = try reader.next() {
        switch step {
        case .tag(let tag): timeline.take(tag) { frames.append($0) }
        case .skipped(let bytes): timeline.lose(bytes: bytes)
        case .needsMore: break
        }
        for frame in frames { try take(frame) }
        frames.removeAll(keepingCapacity: true)
        progress(before + reader.position)
      }
      before += reader.position
    }
  }

  /// How many bytes the parts have.
  static func bytes(_ order: RemuxOrder) -> Int {
    order.parts.indices.reduce(0) { sum, index in
      var status = stat()
      return unsafe fstat(order.descriptor(ofPart: index), &status) == 0
        ? sum + Int(status.st_size) : sum
    }
  }
}
