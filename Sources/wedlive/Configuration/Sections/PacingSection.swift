/// `pacing`: how fast viewers are sent segments.
struct PacingSection: Equatable, Sendable {
  /// Bits a second of a viewer's connection, by plan; 0 is no bound.
  var free = 0
  var premium = 0
  /// What a connection may be sent at once beyond that.
  var burst = 1 << 20
  /// Hundredths of a quality's rate at which its live segments are sent; 0 is no bound.
  var live = 0
  /// What a new connection is sent of a live stream beyond that.
  var start = Duration.seconds(10)
}
