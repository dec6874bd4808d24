import Redis

/// Who tells that a stream has ended, in one step each.
///
/// Who is to tell it has `telling`, a time, to do so; then it is `told`. Where that doesn't come,
/// another one tells it. The keys and the first and last arguments are those of `LeaseScripts`.
enum EndScripts {
  private static let preamble =
    LeaseScripts.preamble + """
      local left = redis.call('PTTL', KEYS[2])
      local held = not ended and left > 0 and left <= 2 * lease
      local telling = whole(get('telling'), 1)
      if telling and telling > now + 3600000 then telling = nil end
      local isTellers = get('teller') == me .. ' ' .. run
      local isHolders = owner == me and before == run
      -- Whether what was said under an epoch is said of now: a holder that Redis has not heard of
      -- being on the air since may have been.
      local function counts(said) return said == digits(epoch) or said ~= '' and not isHolders end
      local isTold = counts(get('told'))
      local function tell()
        redis.call(
          'HSET', KEYS[1], 'telling', digits(now + tonumber(ARGV[7])), 'teller', me .. ' ' .. run,
          'of', digits(epoch))
        redis.call('HDEL', KEYS[1], 'doubt')
      end

      """

  /// Whether the end of a stream that this one has had is for another to tell: 1, or 0 where it is
  /// for this one, which has said so by that; nothing where nobody knows the stream.
  ///
  /// Of one that had it for a moment and was to do without its publisher, nothing has been on the
  /// air. Arguments: the sequence of the last segment that this one knows of; how long it has to
  /// tell it.
  static let conclude = RedisScript(
    preamble + """
      if epoch == 0 then return false end
      local isOthers = telling and now < telling and not isTellers
      if isTold or isOthers and counts(get('of')) then return {1} end
      if not isHolders then
        local sequence = whole(get('sequence'), 0)
        if held or sequence and sequence > tonumber(ARGV[6]) or get('air') == digits(epoch) then
          return {1}
        end
      end
      tell()
      return {0}
      """)

  /// Notes that an end was told: 1, or 0 where the stream goes on.
  ///
  /// Others that have had the stream for a moment since, for a publisher that was not admitted,
  /// change nothing. Arguments: 1 where Redis could not be asked, and the stream is this process'.
  static let told = RedisScript(
    preamble + """
      if epoch == 0 then return 1 end
      local isOurs = telling and isTellers
      if ARGV[6] == '1' and isHolders and not held then isOurs = true end
      if not isOurs then return 0 end
      redis.call('HDEL', KEYS[1], 'air', 'due', 'left', 'doubt', 'telling', 'teller', 'of')
      redis.call('HSET', KEYS[1], 'told', digits(epoch))
      return 1
      """)

  /// Whether the end of a stream is to be told that nobody has told.
  ///
  /// It has been doubted for as long as a lease lasts before: a holder that Redis has just become
  /// usable for says so meanwhile. Arguments: the epoch whose end is told by this, 0 to ask; how
  /// long that may take. Answers `gone`; `later` and in how many milliseconds; `ready`, the epoch,
  /// the owner, its incarnation and 1 where that has given the stream up, or never had it on the
  /// air; or `tell`, and 1 where a publisher's end was told before.
  static let due = RedisScript(
    preamble + """
      if epoch == 0 or isTold or get('kin') ~= digits(epoch) then return {'gone'} end
      if held then return {'later', digits(lease + window)} end
      if telling then
        if now < telling then return {'later', digits(telling - now)} end
      else
        local due = whole(get('due'), 1)
        if get('air') == '' or not due then return {'gone'} end
        if now < due then return {'later', digits(due - now)} end
      end
      local doubt = whole(get('doubt'), 1)
      if not doubt or doubt > now then
        redis.call('HSET', KEYS[1], 'doubt', digits(now))
        return {'later', digits(lease)}
      end
      if now - doubt < lease then return {'later', digits(lease - (now - doubt))} end
      if tonumber(ARGV[6]) ~= epoch then
        local isOver = ended or get('air') ~= digits(epoch)
        return {'ready', digits(epoch), owner, before, isOver and '1' or '0'}
      end
      tell()
      return {'tell', get('left') ~= '' and get('left') == get('air') and '1' or '0'}
      """)

  /// Puts streams off: each is looked at after so many milliseconds, or when it was to be if that
  /// is later.
  ///
  /// `KEYS[1]` has them by when they are to be looked at. Arguments: milliseconds, streams.
  static let postpone = RedisScript(
    queue + """
      for index = 2, #ARGV do
        local known = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[index]) or 0)
        local at = now + tonumber(ARGV[1])
        if at > known then redis.call('ZADD', KEYS[1], string.format('%.0f', at), ARGV[index]) end
      end
      return 1
      """)

  /// The streams that are to be looked at now, which others don't look at for so many milliseconds.
  ///
  /// Arguments: milliseconds, how many.
  static let take = RedisScript(
    queue + """
      local found = redis.call(
        'ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now), 'LIMIT', 0, ARGV[2])
      for _, stream in ipairs(found) do
        redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[1])), stream)
      end
      return found
      """)

  /// What isn't a sorted set counts as none.
  private static let queue =
    LeaseScripts.clock + """
      local kind = redis.call('TYPE', KEYS[1]).ok
      if kind ~= 'none' and kind ~= 'zset' then redis.call('DEL', KEYS[1]) end

      """
}
