/// `shutdown`: how the node ends.
struct ShutdownSection: Equatable, Sendable {
  /// How long the node answers on and says that it is not ready, so that balancers notice.
  var drain = Duration.zero
  /// How long other origins have to take its streams over.
  var handOver = Duration.seconds(15)
  /// How long responses under way have.
  var timeout = Duration.seconds(10)
}
