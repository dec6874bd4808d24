package import Telemetry

/// What the players of one stream on one loop are counted by.
package struct PlayerCount {
  /// Of bytes that they were sent.
  package let tally: Tally
  /// Kept for as long as the loop has the stream.
  private let keeper: AnyObject

  package init(_ tally: Tally, keeper: AnyObject) {
    self.tally = tally
    self.keeper = keeper
  }
}
