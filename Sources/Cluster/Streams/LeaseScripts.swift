import Redis

/// What is compared and set in Redis, each in one step.
///
/// All keys of a script are one stream's. `KEYS[1]` is the stream's record, which outlives its
/// lease: numbers go on where they were. `KEYS[2]` is there for as long as the lease is kept, by
/// Redis' clock and no other. `KEYS[3]` names the origin where its wedding's cameras meet, which is
/// the first that has one of them. A wedding's program is held like a stream: it follows the
/// cameras, and says nothing of where they meet.
///
/// Of its end the record says under which epoch it was on the `air` last, if that isn't told yet,
/// whether its publisher has `left`, when the end is `due` should nobody come, and that it was
/// `told`, under which epoch (see `EndScripts`). A holder without an admitted publisher changes
/// none of these. `kin` is the epoch of a holder that writes them.
enum LeaseScripts {
  /// What the time is, by Redis' clock: `now`, in milliseconds.
  static let clock = """
    local time = redis.call('TIME')
    local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

    """

  /// What all begin with: the record as it stands; what isn't a record counts as none.
  ///
  /// The last argument of each is how long a stream waits for its publisher, in milliseconds.
  static let preamble =
    clock + """
      local kind = redis.call('TYPE', KEYS[1]).ok
      if kind ~= 'none' and kind ~= 'hash' then redis.call('DEL', KEYS[1]) end
      local function get(name)
        if redis.call('HSTRLEN', KEYS[1], name) > 8192 then return '' end
        return redis.call('HGET', KEYS[1], name) or ''
      end
      local function whole(text, least)
        local value = tonumber(text)
        if value and value >= least and value <= 9007199254740991 and value == math.floor(value) then
          return value
        end
        return nil
      end
      local function digits(value) return string.format('%.0f', value) end
      local me, run, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
      local window = tonumber(ARGV[#ARGV]) or 0
      local epoch, owner, before = whole(get('epoch'), 1) or 0, get('owner'), get('run')
      local ended = get('ended') == '1'
      if #owner > 64 or not string.match(owner, '^[%w_-][%w._-]*$') then epoch = 0 end
      local isProgram = string.sub(KEYS[1], -8) == '/program'
      local function home()
        local type = redis.call('TYPE', KEYS[3]).ok
        if type == 'string' then return redis.call('GET', KEYS[3]) end
        return type == 'none' and '' or nil
      end
      local function keep(value)
        redis.call('SET', KEYS[2], digits(value), 'PX', lease)
        redis.call('PEXPIRE', KEYS[1], ARGV[4])
        local place = home()
        if not isProgram and (place == '' or place == me) then
          redis.call('SET', KEYS[3], me, 'PX', lease)
        end
      end
      local function take(value)
        redis.call(
          'HSET', KEYS[1], 'owner', me, 'run', run, 'epoch', digits(value), 'priority', ARGV[5],
          'ended', '0', 'kin', digits(value))
        keep(value)
      end
      local function air(value, patience)
        redis.call('HSET', KEYS[1], 'air', digits(value), 'due', digits(now + patience))
      end
      -- Nothing that was said of the end of a broadcast before is about this one.
      local function begin()
        redis.call('HDEL', KEYS[1], 'told', 'doubt', 'telling', 'teller', 'of')
      end

      """

  /// Takes a stream, where that is right.
  ///
  /// Arguments: node, its incarnation, lease and memory in milliseconds, priority; the epoch that
  /// may be taken over (0: none), the epoch that the new one must pass, 1 where a lease that has
  /// expired says nothing yet, 1 where the holder of the former epoch is gone. One that isn't keeps
  /// its stream against a lower priority: that is no claim of its own publisher's. Answers 1 and
  /// the new epoch, the owner before and the head; or 0, the owner and its epoch.
  static let claim = RedisScript(
    preamble + """
      local left = redis.call('PTTL', KEYS[2])
      local held = epoch > 0 and not ended and (ARGV[8] == '1' or (left > 0 and left <= 2 * lease))
      local next = epoch
      if not (held and owner == me and before == run) then
        local mine, theirs = tonumber(ARGV[5]), tonumber(get('priority')) or 0
        local may = not held or owner == me or mine > theirs
          or tonumber(ARGV[6]) == epoch and (ARGV[9] == '1' or mine >= theirs)
          or isProgram and home() == me
        if not may then return {0, owner, digits(epoch)} end
        next = math.max(epoch, tonumber(ARGV[7])) + 1
        if next > 9007199254740991 then return redis.error_reply('ERR no epoch is left') end
      end
      local answer = {
        1, digits(next), owner, get('sequence'), get('discontinuity'), get('end'), get('names'),
        get('date'), get('camera'), get('shown'),
        get('began')}
      take(next)
      return answer
      """)

  /// Keeps a lease, or takes it back where Redis has lost it, and writes the head.
  ///
  /// Of two holders the one with the larger epoch wins, then the one with the smaller name.
  /// Arguments: as above up to the priority; the epoch; 1 where a head follows; sequence,
  /// discontinuity, end, names, date, camera, what that shows, when it went on the air; 1 where it
  /// is on the air under this lease. Answers 1 where it is kept, 2 where it was taken back, and 0,
  /// the owner and its epoch where it is another's.
  static let refresh = RedisScript(
    preamble + """
      local mine = tonumber(ARGV[6])
      local answer = 1
      local function lower(left, right)
        for index = 1, math.max(#left, #right) do
          local one, other = string.byte(left, index) or 0, string.byte(right, index) or 0
          if one ~= other then return one < other end
        end
        return false
      end
      if epoch == mine and owner == me and before == run and not ended then
        keep(mine)
        -- Another publisher goes on under the same lease.
        if get('priority') ~= ARGV[5] then redis.call('HSET', KEYS[1], 'priority', ARGV[5]) end
      elseif epoch < mine or (epoch == mine and not ended
        and lower(me .. ' ' .. run, owner .. ' ' .. before))
      then
        answer = 2
        take(mine)
      else
        return {0, owner, digits(epoch)}
      end
      if ARGV[16] == '1' then
        air(mine, lease + window)
        begin()
      end
      local sequence = whole(get('sequence'), 0)
      if ARGV[7] == '1' and (answer == 2 or not sequence or sequence <= tonumber(ARGV[8])) then
        redis.call(
          'HSET', KEYS[1], 'sequence', ARGV[8], 'discontinuity', ARGV[9], 'end', ARGV[10],
          'names', ARGV[11], 'date', ARGV[12], 'camera', ARGV[13], 'shown', ARGV[14],
          'began', ARGV[15])
      end
      return {answer}
      """)

  /// Whether nobody has a stream, or waits for its publisher: 0, or 1 and who had it last and has
  /// not given it up, with that one's incarnation; nothing for one that has, and for this process.
  ///
  /// Arguments: node, its incarnation, lease and memory in milliseconds, priority, which says
  /// nothing here; for how many milliseconds that is to have been so.
  static let over = RedisScript(
    preamble + """
      local place = home()
      if place ~= '' and place ~= me or redis.call('EXISTS', KEYS[2]) == 1 then return {0} end
      if redis.call('EXISTS', KEYS[1]) == 0 then return {1, '', ''} end
      if epoch == 0 then return {0} end
      if owner == me and before == run then return {1, '', ''} end
      -- Each lease that is kept, or given up, has it kept for so long from then on.
      local left = redis.call('PTTL', KEYS[1])
      if left < 0 or tonumber(ARGV[4]) - left < tonumber(ARGV[6]) then return {0} end
      if ended then return {1, '', ''} end
      return {1, owner, before}
      """)

  /// Gives a lease up.
  ///
  /// Arguments as for a refresh. Answers 1, or 0 where it is another's.
  static let release = RedisScript(
    preamble + """
      if epoch ~= tonumber(ARGV[6]) or owner ~= me or before ~= run then return {0} end
      redis.call('HSET', KEYS[1], 'ended', '1')
      if ARGV[16] == '1' and get('told') ~= digits(epoch) then
        if get('air') ~= digits(epoch) then begin() end
        air(epoch, window)
        redis.call('HSET', KEYS[1], 'left', digits(epoch))
      end
      if ARGV[7] == '1' then
        redis.call(
          'HSET', KEYS[1], 'sequence', ARGV[8], 'discontinuity', ARGV[9], 'end', ARGV[10],
          'names', ARGV[11], 'date', ARGV[12], 'camera', ARGV[13], 'shown', ARGV[14],
          'began', ARGV[15])
      end
      redis.call('DEL', KEYS[2])
      redis.call('PEXPIRE', KEYS[1], ARGV[4])
      return {1}
      """)
}
