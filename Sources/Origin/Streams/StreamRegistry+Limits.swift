extension StreamRegistry {
  /// How long streams are kept, and how many.
  package struct Limits: Sendable {
    /// How long a stream waits for a publisher that is gone.
    package var reconnectWindow = Duration.seconds(60)
    /// How long it can be fetched after that.
    package var afterEnd = Duration.seconds(120)
    /// How long it can be fetched here after another process of the node has taken it over.
    package var afterYield = Duration.seconds(30)
    /// How often a stream without a publisher lets go of what nobody may ask for any more.
    package var tidying = Duration.seconds(10)
    /// How many streams there may be, those that wait included, those that are over not.
    package var streams = Int.max

    package init() {}
  }
}
