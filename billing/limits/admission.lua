-- One round trip before dispatch: is this request within its limits, and which configuration is current?
--
-- Requests per minute by GCRA, the generic cell rate algorithm (ITU-T I.371, annex A). Times are whole
-- microseconds of the server's own clock, so that all processes agree and nothing is lost to rounding.
-- The stored value is the theoretical arrival time: when the bucket will be full again.
--
-- KEYS[1] version of the tenant's configuration     KEYS[2] theoretical arrival time of the API key
-- ARGV[1] requests per minute, 0 for no limit       ARGV[2] the time, in tests alone; '' for the clock
-- Returns {version or '', allowed 1/0, limit, remaining, reset ms, retry after ms}.

local version = redis.call('GET', KEYS[1]) or ''
local limit = tonumber(ARGV[1])
if limit == 0 then
  return {version, 1, 0, 0, 0, 0}
end

local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local interval = math.ceil(60000000 / limit)
local burst = interval * limit
local arrival = math.max(tonumber(redis.call('GET', KEYS[2]) or 0), now)
-- A clock that was set back must not lock the key out: never remember more than a full bucket.
arrival = math.min(arrival, now + burst)

local early = arrival + interval - burst - now
if early > 0 then
  return {version, 0, limit, 0, math.ceil((arrival - now) / 1000), math.ceil(early / 1000)}
end

arrival = arrival + interval
local full_in = math.ceil((arrival - now) / 1000)
redis.call('SET', KEYS[2], string.format('%.0f', arrival), 'PX', full_in)
return {version, 1, limit, math.floor((now + burst - arrival) / interval), full_in, 0}
