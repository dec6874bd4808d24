import Redis

/// A sorted set of names, in the order of their addition.
enum RecordIndex {
  /// Adds a name.
  ///
  /// Argument: the name, which goes to the end where it isn't in the set.
  static let enter = RedisScript(
    """
    if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
    local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
    redis.call('ZADD', KEYS[1], (tonumber(last[2]) or 0) + 1, ARGV[1])
    return 1
    """)
}
