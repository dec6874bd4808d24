/// `shutdown`: how the node ends.
struct ShutdownSection: Equatable, Sendable {
  /// How long the node answers on and says that it is not ready, so that balancers notice.
  var drain = Duration.zero
  /// How long others have to take its streams over, and those to end that nobody comes back to.
  var handOver = Duration.seconds(15)
  /// How long responses under way have.
  var timeout = Duration.seconds(10)
  /// How long a process that takes over may take to be ready, and how long publishers may stay with
  /// the one that it replaces.
  var upgradeStart = Duration.seconds(60)
  var upgrade = Duration.seconds(12 * 3_600)
  /// How often each of two processes reads what calls that the other one answers have changed.
  var upgradeReads = Duration.seconds(1)
  /// How long a process waits for an answer of the one that it replaced, and for something to be
  /// done there.
  var upgradeAnswers = Duration.seconds(2)
  var upgradeOrders = Duration.seconds(8)
  /// What it keeps of the segments that processes before it have made.
  var upgradeMemory = 256 << 20
}
