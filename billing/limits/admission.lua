-- One round trip before dispatch: is this request within its limits, which configuration is current, and has it been
-- answered before?
--
-- KEYS[1] version of the tenant's configuration     KEYS[2] theoretical arrival time of the API key
-- ARGV[1] requests per minute, 0 for no limit       ARGV[2] the time, in tests alone; '' for the clock
-- Where an answer may have been kept:
-- KEYS[3] the answer     KEYS[4] when each of the tenant's was last used     ARGV[3] the answer's name there
-- Returns {version or '', allowed 1/0, limit, remaining, reset ms, retry after ms}, and the answer or nil.

local version = redis.call('GET', KEYS[1]) or ''
local limit = tonumber(ARGV[1])
local allowed, remaining, reset, retry = 1, 0, 0, 0
if limit > 0 then
  allowed, remaining, reset, retry = counted(KEYS[2], limit, microseconds(ARGV[2]))
end
if allowed == 0 or not KEYS[3] then
  return {version, allowed, limit, remaining, reset, retry}
end

local answer = redis.call('GET', KEYS[3])
if answer then
  -- Where Redis is full this fails, and the answer is as good.
  redis.pcall('ZADD', KEYS[4], 'XX', math.floor(microseconds(ARGV[2]) / 1000), ARGV[3])
end
return {version, allowed, limit, remaining, reset, retry, answer}
