import Redis

/// What is asked of Redis about one stream, by the scripts that begin with `LeaseScripts.preamble`.
struct StreamQuestions: Sendable {
  private let client: RedisClient
  private let membership: Membership
  private let limits: ClusterConfiguration

  init(_ client: RedisClient, _ membership: Membership, _ limits: ClusterConfiguration) {
    self.client = client
    self.membership = membership
    self.limits = limits
  }

  /// Runs a script.
  ///
  /// - Parameters:
  ///   - script: which.
  ///   - stream: of which it asks.
  ///   - priority: of its publisher here; 0 where that says nothing.
  ///   - arguments: the script's own, between those that all begin with and the last one.
  /// - Returns: its answer.
  /// - Throws: `.unavailable`, why Redis can't say.
  func run(
    _ script: RedisScript, _ stream: StreamID, priority: Int = 0,
    _ arguments: [any RedisCommand.Word]
  ) async throws(ClusterError) -> RedisValue {
    let asker: [any RedisCommand.Word] = [
      membership.own.text, membership.incarnation, Self.milliseconds(limits.lease),
      Self.milliseconds(limits.streamMemory), priority,
    ]
    do throws(RedisError) {
      return try await client.run(
        script, keys: [stream.key, stream.leaseKey, stream.homeKey],
        arguments: asker + arguments + [Self.milliseconds(limits.reconnectWindow)],
        deadline: limits.deadline)
    } catch {
      throw .unavailable(error)
    }
  }

  /// As scripts take durations.
  static func milliseconds(_ duration: Duration) -> Int64 { Int64(duration / .milliseconds(1)) }
}
