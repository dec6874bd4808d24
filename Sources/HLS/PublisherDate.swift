package import Media

/// What the date was at a time of a publisher's clock: a node that goes on with the stream of
/// another, or is sent something once more, gets late what was not late when it was filmed.
package struct PublisherDate: Equatable, Sendable {
  /// By the publisher's clock.
  package let time: MediaTime
  /// In milliseconds since 1970.
  package let date: Int64

  package init(time: MediaTime, date: Int64) {
    self.time = time
    self.date = date
  }

  /// How far back a publisher's time may lie, and how far ahead, for a date to be made of it.
  private static let reach: ClosedRange<Int64> = -60_000...600_000

  /// The date of another time of the same publisher.
  ///
  /// - Parameter other: whose milliseconds may have gone round in 32 bits meanwhile.
  /// - Returns: nil where that is too far away to be the same clock's.
  func date(of other: MediaTime) -> Int64? {
    let distance = Int64(
      Int32(truncatingIfNeeded: other.milliseconds &- time.milliseconds))
    return Self.reach.contains(distance) ? date + distance : nil
  }
}
