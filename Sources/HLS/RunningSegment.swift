import Media

/// The segment that is being written.
struct RunningSegment {
  var bytes: [UInt8] = []
  private(set) var start = MediaTime.zero
  private(set) var isDiscontinuity = false
  var isIndependent = true
  var pictures = 0
  var lastKeyframe: MediaTime?
  /// A moment on the time line and its date; dates run on from it until the next discontinuity, so
  /// that they agree with the durations in the playlist.
  var anchorTime = MediaTime.zero
  var anchorDate: Int64 = 0

  /// The program date of its start, in milliseconds since 1970.
  var date: Int64 { anchorDate + (start - anchorTime).milliseconds }

  mutating func begin(at time: MediaTime, isDiscontinuity: Bool) {
    start = time
    self.isDiscontinuity = isDiscontinuity
    isIndependent = true
    pictures = 0
  }

  /// Hands the bytes over, in an array without much room to spare: segments live for minutes.
  mutating func takeBytes() -> [UInt8] {
    var taken: [UInt8] = []
    swap(&taken, &bytes)
    guard taken.capacity - taken.count > taken.count / 6 else { return taken }
    var exact: [UInt8] = []
    exact.reserveCapacity(taken.count)
    exact.append(contentsOf: taken)
    return exact
  }
}
