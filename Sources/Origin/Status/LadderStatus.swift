/// How the rungs below a stream's source are made.
package struct LadderStatus: Codable, Equatable, Sendable {
  package enum State: String, Codable, Sendable {
    /// A worker encodes.
    case encoding
    /// Nobody watches a rung, so nothing is encoded.
    case idle
    /// Too many workers were lost: rungs show the source for a while.
    case paused
  }

  package var state: State
  /// The rungs that are encoded, the largest first.
  package var encoded: [String]
  /// How far the worker is behind.
  package var lagMilliseconds: Int64
  /// How many steps down it has taken to keep up; 0 is as configured.
  package var step: Int
  /// Pictures of the source that were decoded, and that could not be.
  package var decoded: UInt64
  package var dropped: UInt64
  /// Of the worker; 0 where there is none.
  package var processID: Int32

  package init(
    state: State, encoded: [String] = [], lagMilliseconds: Int64 = 0, step: Int = 0,
    decoded: UInt64 = 0, dropped: UInt64 = 0, processID: Int32 = 0
  ) {
    self.state = state
    self.encoded = encoded
    self.lagMilliseconds = lagMilliseconds
    self.step = step
    self.decoded = decoded
    self.dropped = dropped
    self.processID = processID
  }

  enum CodingKeys: String, CodingKey {
    case state, encoded
    case lagMilliseconds = "lag_ms"
    case step, decoded, dropped
    case processID = "pid"
  }
}
