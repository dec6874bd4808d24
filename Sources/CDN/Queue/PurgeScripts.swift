import Redis

/// What is done in Redis in one step.
enum PurgeScripts {
  /// Adds all or none.
  ///
  /// KEYS: stream. ARGV: bound, then the names and values of each, 10 words.
  static let add = RedisScript(
    """
    local count = (#ARGV - 1) / 10
    if redis.call('XLEN', KEYS[1]) + count > tonumber(ARGV[1]) then return 0 end
    for first = 2, #ARGV, 10 do
      redis.call('XADD', KEYS[1], '*', unpack(ARGV, first, first + 9))
    end
    return 1
    """)

  /// Takes or keeps the right to do purges.
  ///
  /// KEYS: holder. ARGV: who, for how many milliseconds.
  static let hold = RedisScript(
    """
    local holder = redis.call('GET', KEYS[1])
    if holder == ARGV[1] then
      redis.call('PEXPIRE', KEYS[1], ARGV[2])
      return 2
    end
    if holder then return 0 end
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return 1
    """)

  /// Gives the right to do purges up.
  ///
  /// KEYS: holder. ARGV: who.
  static let release = RedisScript(
    """
    if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
    return 0
    """)

  /// They are done.
  ///
  /// KEYS: stream, counts. ARGV: group, ids.
  static let finish = RedisScript(
    """
    for index = 2, #ARGV do
      redis.call('XACK', KEYS[1], ARGV[1], ARGV[index])
      if redis.call('XDEL', KEYS[1], ARGV[index]) == 1 then
        redis.call('HINCRBY', KEYS[2], 'sent', 1)
      end
    end
    return 1
    """)

  /// They are given up, and what they were is kept.
  ///
  /// KEYS: stream, counts, failures. ARGV: group, how many are kept, error, error with what it was
  /// of, time, ids.
  static let giveUp = RedisScript(
    """
    for index = 6, #ARGV do
      local entry = redis.call('XRANGE', KEYS[1], ARGV[index], ARGV[index])[1]
      redis.call('XACK', KEYS[1], ARGV[1], ARGV[index])
      if entry then
        redis.call('XDEL', KEYS[1], ARGV[index])
        redis.call('HINCRBY', KEYS[2], 'failed', 1)
        local words = entry[2]
        words[#words + 1] = 'error'
        words[#words + 1] = ARGV[3]
        words[#words + 1] = 'queued'
        words[#words + 1] = ARGV[index]
        redis.call('XADD', KEYS[3], 'MAXLEN', ARGV[2], '*', unpack(words))
      end
    end
    redis.call('HSET', KEYS[2], 'error', ARGV[4], 'error_time', ARGV[5])
    return 1
    """)
}
