import Redis

/// A purge with its place in the queue.
struct QueuedPurge: Equatable, Sendable {
  let id: RedisStreamID
  let purge: CDNPurge
}
