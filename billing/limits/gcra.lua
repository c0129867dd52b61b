-- The generic cell rate algorithm (ITU-T I.371, annex A), at the head of every script that counts a rate a minute.
--
-- Times are whole microseconds of the server's own clock, so that all processes agree and nothing is lost to rounding.
-- The stored value is the theoretical arrival time: when the bucket will be full again.

local function microseconds(given)
  local now = tonumber(given)
  if not now then
    local time = redis.call('TIME')
    now = tonumber(time[1]) * 1000000 + tonumber(time[2])
  end
  return now
end

-- Counts one under `key`, at `limit` a minute. Returns allowed 1/0, remaining, reset ms, retry after ms.
local function counted(key, limit, now)
  local interval = math.ceil(60000000 / limit)
  local burst = interval * limit
  local arrival = math.max(tonumber(redis.call('GET', key) or 0), now)
  -- A clock that was set back must not lock the key out: never remember more than a full bucket.
  arrival = math.min(arrival, now + burst)

  local early = arrival + interval - burst - now
  if early > 0 then
    return 0, 0, math.ceil((arrival - now) / 1000), math.ceil(early / 1000)
  end

  arrival = arrival + interval
  local full_in = math.ceil((arrival - now) / 1000)
  redis.call('SET', key, string.format('%.0f', arrival), 'PX', full_in)
  return 1, math.floor((now + burst - arrival) / interval), full_in, 0
end

