import Redis

/// What is changed in the hash of one wedding's cameras, each in one step: `CameraFields` has what
/// the fields are.
enum CameraScripts {
  private static let preamble = """
    local hash = KEYS[1]
    local function has(id) return redis.call('HEXISTS', hash, 'order:' .. id) == 1 end
    local function order() return redis.call('HINCRBY', hash, 'count', 1) end
    local function keep(camera, digest, created, expires)
      local field = 'key:' .. digest
      if redis.call('HEXISTS', hash, field) == 0 then
        redis.call(
          'HSET', hash, field, order() .. ' ' .. created .. ' ' .. expires .. ' ' .. camera)
      end
    end
    -- Calls a function with the kind, name and value of each field.
    local function each(call)
      local all = redis.call('HGETALL', hash)
      for index = 1, #all, 2 do
        local kind, name = string.match(all[index], '^(%l+):(.*)$')
        if kind then call(kind, name, all[index + 1]) end
      end
    end
    local function credential(value) return string.match(value, '^(%d+) (-?%d+) (-?%d+) (.*)$') end
    -- Takes what there is of a camera away; its keys where they are older than a time, or all.
    local function clear(id, time)
      for _, kind in ipairs({'order:', 'name:', 'priority:', 'plan:', 'created:', 'live:'}) do
        redis.call('HDEL', hash, kind .. id)
      end
      each(function(kind, name, value)
        if kind ~= 'key' then return end
        local _, created, _, camera = credential(value)
        if camera == id and (not time or tonumber(created) < time) then
          redis.call('HDEL', hash, 'key:' .. name)
        end
      end)
    end
    local function remove(id, time)
      clear(id)
      redis.call('HSET', hash, 'removed:' .. id, time)
      if redis.call('HGET', hash, 'shows') == id then
        redis.call('HDEL', hash, 'shows')
        redis.call('HSET', hash, 'program', time)
      end
    end

    """

  /// Adds a camera.
  ///
  /// Arguments: id, name, priority, 1 and the plan, created, 1 and the last time live; then digest,
  /// created and expires of a credential, where there is one. Answers 0 where there is such a
  /// camera.
  static let add = RedisScript(
    preamble + """
      local id = ARGV[1]
      if has(id) then return 0 end
      redis.call(
        'HSET', hash, 'order:' .. id, order(), 'name:' .. id, ARGV[2], 'priority:' .. id, ARGV[3],
        'created:' .. id, ARGV[6])
      if ARGV[4] == '1' then redis.call('HSET', hash, 'plan:' .. id, ARGV[5]) end
      if ARGV[7] == '1' then redis.call('HSET', hash, 'live:' .. id, ARGV[8]) end
      if ARGV[9] then keep(id, ARGV[9], ARGV[10], ARGV[11]) end
      redis.call('HDEL', hash, 'removed:' .. id)
      redis.call('HSETNX', hash, 'program', ARGV[6])
      return 1
      """)

  /// Adds a credential.
  ///
  /// Arguments: camera, digest, created, expires. Answers 0 where there is no such camera.
  static let addCredential = RedisScript(
    preamble + """
      if not has(ARGV[1]) then return 0 end
      keep(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
      return 1
      """)

  /// Removes a camera.
  ///
  /// Arguments: camera, time. Answers 0 where there is no such camera.
  static let remove = RedisScript(
    preamble + """
      if not has(ARGV[1]) then return 0 end
      remove(ARGV[1], ARGV[2])
      return 1
      """)

  /// Arguments: camera, time.
  static let note = RedisScript(
    preamble + """
      if has(ARGV[1]) then redis.call('HSET', hash, 'live:' .. ARGV[1], ARGV[2]) end
      return 1
      """)

  /// Arguments: time, 1 and the camera.
  static let choose = RedisScript(
    preamble + """
      redis.call('HSET', hash, 'program', ARGV[1])
      if ARGV[2] == '1' then
        redis.call('HSET', hash, 'shows', ARGV[3])
      else
        redis.call('HDEL', hash, 'shows')
      end
      return 1
      """)

  /// Forgets what nobody needs.
  ///
  /// Arguments: the time before which removals and programs go, the time now, 1 where the program
  /// stays. Answers how many records went, and whether anything is left.
  static let forget = RedisScript(
    preamble + """
      local count, cameras = 0, 0
      each(function(kind, name, value)
        if kind == 'order' then cameras = cameras + 1 end
        local gone = false
        if kind == 'key' then
          local _, _, expires = credential(value)
          gone = not expires or tonumber(expires) < tonumber(ARGV[2])
        elseif kind == 'removed' then
          gone = (tonumber(value) or 0) < tonumber(ARGV[1])
        end
        if gone then
          redis.call('HDEL', hash, kind .. ':' .. name)
          count = count + 1
        end
      end)
      local program = redis.call('HGET', hash, 'program')
      if program and cameras == 0 and ARGV[3] ~= '1'
        and (tonumber(program) or 0) < tonumber(ARGV[1])
      then
        redis.call('HDEL', hash, 'program', 'shows')
        count = count + 1
      end
      if redis.call('HLEN', hash) == redis.call('HEXISTS', hash, 'count') then
        redis.call('DEL', hash)
      end
      return {count, redis.call('EXISTS', hash)}
      """)

  /// Writes what is missing: what is there stays, and what was removed or added meanwhile is so.
  ///
  /// Of all additions and removals of one id the latest counts, whoever knows of which: an earlier
  /// camera's fields and keys go, and are not written again. A key that was known with the camera
  /// that counts is its key; of others the time says so, as a copy may have a later one's key.
  /// Arguments: the largest order, then names and values of fields. Answers how many were written.
  static let restore = RedisScript(
    preamble + """
      local top = tonumber(redis.call('HGET', hash, 'count')) or 0
      redis.call('HSET', hash, 'count', string.format('%.0f', math.max(top, tonumber(ARGV[1]))))
      local count = 0
      local function isThere(field) return redis.call('HEXISTS', hash, field) == 1 end
      local function time(field) return tonumber(redis.call('HGET', hash, field) or '') or 0 end
      -- Whether a camera that was added then is the one that counts.
      local function counts(id, created)
        local removed = 'removed:' .. id
        if isThere(removed) then
          if time(removed) >= created then return false end
          redis.call('HDEL', hash, removed)
        end
        if not has(id) then return true end
        local here = time('created:' .. id)
        if here < created then clear(id, created) end
        return here <= created
      end
      local current = {}
      for index = 2, #ARGV, 2 do
        local kind, name = string.match(ARGV[index], '^(%l+):(.*)$')
        if kind == 'created' then current[name] = counts(name, tonumber(ARGV[index + 1]) or 0) end
      end
      local function fits(field, kind, name, value)
        if field == 'shows' then
          return current[value] ~= false and not isThere('removed:' .. value)
        end
        if kind == 'removed' then
          local removed = tonumber(value) or 0
          if has(name) then
            if removed < time('created:' .. name) then return false end
            remove(name, value)
            count = count + 1
          elseif isThere(field) and time(field) < removed then
            redis.call('HSET', hash, field, value)
            count = count + 1
          end
          return true
        end
        if kind == 'key' then
          local _, created, _, camera = credential(value)
          if not camera or not has(camera) then return false end
          return current[camera] or tonumber(created) >= time('created:' .. camera)
        end
        return not kind or current[name]
      end
      for index = 2, #ARGV, 2 do
        local kind, name = string.match(ARGV[index], '^(%l+):(.*)$')
        if fits(ARGV[index], kind, name, ARGV[index + 1]) then
          count = count + redis.call('HSETNX', hash, ARGV[index], ARGV[index + 1])
        end
      end
      return count
      """)
}
