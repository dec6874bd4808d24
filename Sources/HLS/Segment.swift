import Bytes
package import Media

/// A finished segment: immutable, shared by all loops.
package final class Segment: Sendable {
  /// `{sequence}-{tag}.ts`: never used for other bytes, so it may be cached for ever.
  package let name: String
  /// Its media sequence number.
  package let sequence: Int
  /// The number of discontinuities before it, its own included.
  package let discontinuitySequence: Int
  /// None where they were let go of.
  package let bytes: [UInt8]
  /// How many bytes it has, kept or not.
  package let byteCount: Int
  package let duration: MediaTime
  /// When it begins on the stream's own time line.
  package let startTime: MediaTime
  /// When its first frame was taken, in milliseconds since 1970.
  package let programDate: Int64
  /// Whether it can't be decoded or timed as a continuation of the one before.
  package let isDiscontinuity: Bool
  /// Whether it can be decoded without the one before.
  package let isIndependent: Bool
  /// The target duration that its playlist has.
  package let targetDuration: Int
  /// What its bytes are encrypted with, by AES-128 with its number as the vector; nil for plain
  /// ones.
  package let key: SegmentKey?

  package init(
    name: String, sequence: Int, discontinuitySequence: Int, bytes: [UInt8], duration: MediaTime,
    startTime: MediaTime, programDate: Int64, isDiscontinuity: Bool, isIndependent: Bool,
    targetDuration: Int, key: SegmentKey? = nil, byteCount: Int? = nil
  ) {
    self.name = name
    self.sequence = sequence
    self.discontinuitySequence = discontinuitySequence
    self.bytes = bytes
    self.byteCount = byteCount ?? bytes.count
    self.duration = duration
    self.startTime = startTime
    self.programDate = programDate
    self.isDiscontinuity = isDiscontinuity
    self.isIndependent = isIndependent
    self.targetDuration = targetDuration
    self.key = key
  }

  /// The same segment, encrypted.
  ///
  /// - Parameters:
  ///   - bytes: the cipher text of its own.
  ///   - key: what it was made with.
  /// - Returns: it differs in nothing else.
  package func sealed(_ bytes: [UInt8], with key: SegmentKey) -> Segment {
    copy(name: name, bytes: bytes, isIndependent: isIndependent, key: key)
  }

  /// Another rung's segment in the same place.
  ///
  /// - Parameters:
  ///   - bytes: its transport stream, plain.
  ///   - isIndependent: whether it begins with a keyframe.
  /// - Returns: with a name of its own, and the number, the times and the marks of this one.
  func replaced(_ bytes: [UInt8], isIndependent: Bool) -> Segment {
    copy(
      name: Segment.name(sequence: sequence), bytes: bytes, isIndependent: isIndependent, key: nil)
  }

  /// The same bytes in another playlist, under a number of its own.
  ///
  /// - Parameters:
  ///   - state: of that playlist before it; it starts where that ends.
  ///   - isDiscontinuity: whether it goes on from the one before there.
  ///   - programDate: milliseconds since 1970.
  /// - Returns: with a name of its own, and with its own vector where it is encrypted.
  package func standing(
    after state: WindowState, isDiscontinuity: Bool, programDate: Int64
  ) -> Segment {
    let number = state.nextSequence
    let tag = name.drop { $0 != "-" }
    return Segment(
      name: "\(number)\(tag)", sequence: number,
      discontinuitySequence: state.discontinuitySequence + (isDiscontinuity ? 1 : 0),
      bytes: bytes, duration: duration, startTime: state.endTime, programDate: programDate,
      isDiscontinuity: isDiscontinuity, isIndependent: isIndependent,
      targetDuration: max(targetDuration, state.targetDuration ?? 1),
      key: key.map {
        let vector = $0.vector ?? sequence
        return SegmentKey(uri: $0.uri, vector: vector == number ? nil : vector)
      })
  }

  /// The same segment without its bytes, which are elsewhere.
  func released() -> Segment {
    copy(name: name, bytes: [], isIndependent: isIndependent, key: key, byteCount: byteCount)
  }

  private func copy(
    name: String, bytes: [UInt8], isIndependent: Bool, key: SegmentKey?, byteCount: Int? = nil
  ) -> Segment {
    Segment(
      name: name, sequence: sequence, discontinuitySequence: discontinuitySequence, bytes: bytes,
      duration: duration, startTime: startTime, programDate: programDate,
      isDiscontinuity: isDiscontinuity, isIndependent: isIndependent,
      targetDuration: targetDuration, key: key, byteCount: byteCount)
  }

  /// Bits per second; 0 for one without a duration.
  package var bitrate: Int {
    duration > .zero ? Int(Double(byteCount * 8) / duration.seconds) : 0
  }

  /// The stream's state once this segment is in its playlist.
  package var stateAfter: WindowState {
    WindowState(
      nextSequence: sequence + 1, discontinuitySequence: discontinuitySequence,
      targetDuration: targetDuration, endTime: startTime + duration,
      endDate: programDate + duration.milliseconds)
  }

  /// Makes a name that no other segment has: 50 random bits beside the number.
  ///
  /// They also keep a name from being guessed before it is in a playlist.
  package static func name(sequence: Int) -> String {
    "\(sequence)-\(RandomName.make(10)).ts"
  }
}
