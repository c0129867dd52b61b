-- Keeps one answer of a tenant, within what the tenant may keep: what was not used for longest makes room.
--
-- KEYS[1] the answer, its key ending in its name
-- KEYS[2] names by last use, in ms     KEYS[3] names by their end, in ms     KEYS[4] bytes by name, and 'total'
-- ARGV[1] its name     ARGV[2] the answer     ARGV[3] ms to live     ARGV[4] most bytes     ARGV[5] most answers
-- Returns 1, or 0 where there is no room: it is larger than all of it, or too many would have to go at once.

-- What Redis needs beside the bytes themselves, in the value and the three indexes.
local BESIDE = 500
local AT_ONCE = 100
local name, life, most = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4])
local prefix = string.sub(KEYS[1], 1, -#name - 1)
local size = #ARGV[2] + BESIDE

local function forget(gone)
  redis.call('UNLINK', prefix .. gone)
  redis.call('ZREM', KEYS[2], gone)
  redis.call('ZREM', KEYS[3], gone)
  redis.call('HINCRBY', KEYS[4], 'total', -tonumber(redis.call('HGET', KEYS[4], gone) or 0))
  redis.call('HDEL', KEYS[4], gone)
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
for _, ended in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, AT_ONCE)) do
  forget(ended)
end
forget(name)

local function no_room()
  return tonumber(redis.call('HGET', KEYS[4], 'total') or 0) + size > most
    or redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[5])
end

local gone = 0
while no_room() do
  local oldest = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
  if not oldest or gone == AT_ONCE or size > most then
    return 0
  end
  forget(oldest)
  gone = gone + 1
end

redis.call('SET', KEYS[1], ARGV[2], 'PX', life)
redis.call('ZADD', KEYS[2], now, name)
redis.call('ZADD', KEYS[3], now + life, name)
redis.call('HSET', KEYS[4], name, size)
redis.call('HINCRBY', KEYS[4], 'total', size)
for index = 2, 4 do
  if redis.call('PTTL', KEYS[index]) < life then
    redis.call('PEXPIRE', KEYS[index], life)
  end
end
return 1
