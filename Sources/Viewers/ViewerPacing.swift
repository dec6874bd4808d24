import HTTPServer

/// How fast viewers are sent what they ask for; rates are bytes a second, and 0 is no bound.
package struct ViewerPacing: Equatable, Sendable {
  /// Of a connection, by its viewer's plan: the first for viewers without one.
  package var planRates: [Int] = []
  /// What a connection may be sent at once beyond that.
  package var burstBytes = 1 << 20
  /// How fast a segment of a live stream is sent, in hundredths of its quality's rate.
  package var livePercent = 0
  /// How many seconds of a live stream a new connection is sent beyond that.
  package var startSeconds = 10

  package init() {}

  var isOn: Bool { livePercent > 0 || planRates.contains { $0 > 0 } }

  /// For a segment.
  ///
  /// - Parameters:
  ///   - plan: of the viewer.
  ///   - bitrate: of a live stream's quality in bits a second; 0 where it isn't known, or isn't
  ///     live.
  /// - Returns: nil where nothing bounds it.
  func pace(plan: Int, bitrate: Int) -> Pace? {
    let rate = plan < planRates.count ? planRates[plan] : 0
    guard rate > 0 || livePercent > 0 && bitrate > 0 else { return nil }
    var pace = Pace(connectionRate: rate, connectionBurst: burstBytes)
    if livePercent > 0, bitrate > 0 {
      pace.responseRate = max(1, bitrate / 8 * livePercent / 100)
      pace.startBytes = bitrate / 8 * startSeconds
    }
    return pace
  }
}
